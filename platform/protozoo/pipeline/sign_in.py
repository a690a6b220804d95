"""Moves an anonymous volunteer's votes to the account when they sign up or log in."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse

from protozoo.accounts.cookies import volunteer_cookie_delete
from protozoo.accounts.models import User
from protozoo.accounts.roles import VOLUNTEER
from protozoo.accounts.selectors import volunteer_of_request
from protozoo.accounts.services import role_grant, volunteer_claim
from protozoo.voting.votes import votes_move


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Lets nobody lose an answer by making an account."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Make every new account a volunteer's."""
        user = super().save_user(request, user, form, commit)
        if commit:
            role_grant(user=user, role=VOLUNTEER)
        return user

    def login(self, request: HttpRequest, user: User) -> None:
        """Take what the browser's anonymous volunteer has done along into the account."""
        anonymous = volunteer_of_request(request)
        super().login(request, user)
        if anonymous is None or anonymous.user_id is not None:
            return
        volunteer = volunteer_claim(anonymous=anonymous, user=user)
        if volunteer is not None and volunteer.pk != anonymous.pk:
            votes_move(giver=anonymous, taker=volunteer)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Forget the cookie: from now on the account says who this is."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        volunteer_cookie_delete(response)
        return response
