"""Users, and volunteers with or without an account."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person with an account; what they may do comes from the groups of `roles.py`."""

    class Meta(AbstractUser.Meta):
        permissions = [
            ("classify", "Can classify in campaigns"),
            ("review", "Can review labels and freeze releases"),
            ("operate", "Can import surveys, sort them and run campaigns"),
        ]


class Volunteer(models.Model):
    """Somebody who answers questions: a user, a browser with a signed cookie, or a simulation."""

    class Credit(models.TextChoices):
        """How a volunteer wants to be thanked in public."""

        NONE = "none", _("not at all")
        NAME = "name", _("by my name")
        NICKNAME = "nickname", _("by a nickname")

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="volunteer"
    )
    is_simulated = models.BooleanField(default=False)
    credit = models.CharField(max_length=10, choices=Credit, default=Credit.NONE)
    full_name = models.CharField(max_length=80, blank=True, help_text="For the credits alone.")
    nickname = models.CharField(max_length=40, blank=True, help_text="For the credits alone.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(credit="none")
                | (models.Q(credit="name") & ~models.Q(full_name=""))
                | (models.Q(credit="nickname") & ~models.Q(nickname="")),
                name="volunteer_credit_has_its_name",
            )
        ]

    def __str__(self) -> str:
        if self.user is not None:
            return self.user.get_username()
        kind = "simulated volunteer" if self.is_simulated else "anonymous volunteer"
        return f"{kind} {str(self.token)[:8]}"

    @property
    def credited_as(self) -> str:
        """The name under which the volunteer wants to be thanked; none without that wish."""
        if self.credit == self.Credit.NAME:
            return self.full_name
        return self.nickname if self.credit == self.Credit.NICKNAME else ""
