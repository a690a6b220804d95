"""Sets and removes the signed cookie by which an anonymous volunteer is known again."""

import uuid

from django.conf import settings
from django.http import HttpResponseBase

from protozoo.accounts.selectors import COOKIE_SALT


def volunteer_cookie_set(response: HttpResponseBase, *, token: uuid.UUID) -> None:
    response.set_signed_cookie(
        settings.VOLUNTEER_COOKIE_NAME,
        str(token),
        salt=COOKIE_SALT,
        max_age=settings.VOLUNTEER_COOKIE_AGE,
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )


def volunteer_cookie_delete(response: HttpResponseBase) -> None:
    response.delete_cookie(settings.VOLUNTEER_COOKIE_NAME, samesite="Lax")
