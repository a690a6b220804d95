"""Gives people their roles and browsers their volunteers; lets people be thanked, and leave."""

import unicodedata
import uuid
from typing import Final

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from protozoo.accounts.exceptions import CreditError, LastSuperuserError
from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.roles import ADMIN, PERMISSIONS_OF_ROLE

# A name in public must not be an address, nor change the look of the files that it stands in.
_SIGNS: Final = frozenset(" .,'\N{RIGHT SINGLE QUOTATION MARK}·()&-")
# Letters, the marks that many scripts put on them, and digits.
_LETTERS: Final = frozenset("LMN")


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
        _credit_move(giver=claimed, taker=existing)
        return existing
    claimed.user = user
    claimed.save(update_fields=["user"])
    return claimed


def _credit_move(*, giver: Volunteer, taker: Volunteer) -> None:
    """Keep the wish to be thanked of a volunteer whose votes move, unless there is one already."""
    if taker.credit == Volunteer.Credit.NONE:
        taker.credit, taker.full_name, taker.nickname = (
            giver.credit,
            giver.full_name,
            giver.nickname,
        )
        taker.save(update_fields=["credit", "full_name", "nickname"])
    _credit_forget(giver)


# Thanks -------------------------------------------------------------------------------------
def volunteer_credit(
    *, volunteer: Volunteer, credit: str, full_name: str = "", nickname: str = ""
) -> None:
    """Write down how a volunteer wants to be thanked; what is not chosen is forgotten."""
    wish = Volunteer.Credit(credit)
    volunteer.credit = wish
    volunteer.full_name = _credited(full_name, 80) if wish == Volunteer.Credit.NAME else ""
    volunteer.nickname = _credited(nickname, 40) if wish == Volunteer.Credit.NICKNAME else ""
    volunteer.save(update_fields=["credit", "full_name", "nickname"])


def _credited(name: str, longest: int) -> str:
    """Check a name for the credits: words as names have them, no address and no markup."""
    clean = " ".join(name.split())
    if not clean:
        raise CreditError(_("Tell the name by which you want to be thanked."))
    if len(clean) > longest:
        raise CreditError(
            _("A name in the credits has at most %(longest)d characters.") % {"longest": longest}
        )
    kinds = [unicodedata.category(sign)[0] for sign in clean if sign not in _SIGNS]
    if "L" not in kinds or not _LETTERS.issuperset(kinds):
        raise CreditError(
            _("A name in the credits is made of letters, digits, spaces and . , ' - ( ) & alone.")
        )
    return clean


def _credit_forget(volunteer: Volunteer) -> None:
    volunteer.credit, volunteer.full_name, volunteer.nickname = Volunteer.Credit.NONE, "", ""
    volunteer.save(update_fields=["credit", "full_name", "nickname"])


# Leaving ------------------------------------------------------------------------------------
def volunteer_forget(*, volunteer: Volunteer) -> None:
    """Cut every tie between a volunteer's votes and a person; no cookie opens them again."""
    volunteer.user = None
    volunteer.token = uuid.uuid4()
    volunteer.save(update_fields=["user", "token"])
    _credit_forget(volunteer)


@transaction.atomic
def user_delete(*, user: User) -> None:
    """Delete an account; where reviews need its row, everything personal in it goes."""
    others = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
    if user.is_superuser and not others.exclude(pk=user.pk).exists():
        raise LastSuperuserError(
            _(
                "This is the last account that may do everything on this site. Make another one"
                " first, with: python manage.py createsuperuser"
            )
        )
    try:
        with transaction.atomic():
            user.delete()
    except ProtectedError:
        _user_strip(user)


def _user_strip(user: User) -> None:
    EmailAddress.objects.filter(user=user).delete()
    user.groups.clear()
    user.user_permissions.clear()
    user.username = f"former-{uuid.uuid4().hex[:12]}"
    user.email = user.first_name = user.last_name = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
