"""Users, and volunteers with or without an account."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


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

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="volunteer"
    )
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        if self.user is not None:
            return self.user.get_username()
        kind = "simulated volunteer" if self.is_simulated else "anonymous volunteer"
        return f"{kind} {str(self.token)[:8]}"
