"""Gives people their roles and browsers their volunteers."""

import uuid

from django.contrib.auth.models import Group
from django.db import transaction

from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.roles import ADMIN, PERMISSIONS_OF_ROLE


def role_grant(*, user: User, role: str) -> None:
    """Put a user into the role's group; an admin may also enter Django's admin pages."""
    if role not in PERMISSIONS_OF_ROLE:
        raise ValueError(f"role must be one of {', '.join(PERMISSIONS_OF_ROLE)}, got {role!r}")
    user.groups.add(Group.objects.get(name=role))
    if role == ADMIN and not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])


def volunteer_of_user(*, user: User) -> Volunteer:
    """Find or make the volunteer of an account."""
    return Volunteer.objects.get_or_create(user=user)[0]


def volunteer_of_token(*, token: uuid.UUID) -> Volunteer:
    """Find or make the anonymous volunteer whose cookie bears the token."""
    return Volunteer.objects.get_or_create(token=token)[0]


@transaction.atomic
def volunteer_claim(*, anonymous: Volunteer, user: User) -> Volunteer | None:
    """Make an anonymous volunteer the account's own, or give the one that it already has.

    None if somebody else has claimed the volunteer meanwhile, in another tab of the browser.
    """
    claimed = Volunteer.objects.select_for_update().get(pk=anonymous.pk)
    if claimed.user_id is not None:
        return None
    existing = Volunteer.objects.filter(user=user).first()
    if existing is not None:
        return existing
    claimed.user = user
    claimed.save(update_fields=["user"])
    return claimed
