"""Tells who is asking."""

import uuid

from django.conf import settings
from django.http import HttpRequest

from protozoo.accounts.models import User, Volunteer

COOKIE_SALT = "protozoo.volunteer"


def cookie_token(request: HttpRequest) -> uuid.UUID | None:
    """Read the anonymous volunteer's token from the signed cookie; None if absent or forged."""
    value = request.get_signed_cookie(
        settings.VOLUNTEER_COOKIE_NAME,
        default=None,
        salt=COOKIE_SALT,
        max_age=settings.VOLUNTEER_COOKIE_AGE,
    )
    try:
        return uuid.UUID(value) if value else None
    except ValueError:
        return None


def volunteer_of_request(request: HttpRequest) -> Volunteer | None:
    """Find the volunteer who sent the request, by account or by cookie."""
    user = request.user
    if isinstance(user, User):
        return Volunteer.objects.filter(user=user).first()
    token = cookie_token(request)
    if token is None:
        return None
    return Volunteer.objects.filter(token=token, user=None, is_simulated=False).first()
