"""Whoever leaves takes everything personal along; the votes stay, nobody's."""

import pytest
from allauth.account.models import EmailAddress

from protozoo.accounts.exceptions import LastSuperuserError
from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.services import user_delete, volunteer_credit, volunteer_forget
from protozoo.consensus.models import Review
from tests.factories import (
    make_annie,
    make_campaign,
    make_review,
    make_user,
    make_volunteer,
    make_vote,
    make_williamina,
)

pytestmark = pytest.mark.django_db


def test_a_forgotten_volunteer_keeps_the_votes_and_nothing_else() -> None:
    volunteer = make_volunteer(make_annie())
    before = volunteer.token
    volunteer_credit(volunteer=volunteer, credit="name", full_name="Annie Jump Cannon")
    make_vote(volunteer=volunteer)
    volunteer_forget(volunteer=volunteer)
    volunteer.refresh_from_db()
    assert volunteer.votes.count() == 1
    assert volunteer.token != before
    assert (volunteer.user, volunteer.credit, volunteer.full_name) == (None, "none", "")


def test_a_deleted_account_is_gone() -> None:
    annie = make_annie()
    EmailAddress.objects.create(user=annie, email=annie.email)
    user_delete(user=annie)
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()


def test_reviews_outlive_their_scientist_without_a_name() -> None:
    williamina = make_williamina()
    EmailAddress.objects.create(user=williamina, email=williamina.email)
    campaign = make_campaign()
    make_review(campaign.sorting.survey.subjects.all()[0], campaign=campaign, reviewer=williamina)
    user_delete(user=williamina)
    left = Review.objects.get().reviewer
    assert left.username.startswith("former-")
    assert (left.email, left.first_name, left.last_name) == ("", "", "")
    assert not left.is_active
    assert not left.has_usable_password()
    assert not left.groups.exists()
    assert not EmailAddress.objects.exists()


def test_the_last_superuser_stays() -> None:
    only = make_user("cecilia", is_superuser=True)
    make_user("gone", is_superuser=True, is_active=False)
    with pytest.raises(LastSuperuserError, match="createsuperuser"):
        user_delete(user=only)
    assert User.objects.filter(username="cecilia").exists()
    make_user("henrietta", is_superuser=True)
    user_delete(user=only)
    assert not User.objects.filter(username="cecilia").exists()


def test_a_volunteer_of_a_deleted_account_is_nobodys() -> None:
    annie = make_annie()
    hers = make_volunteer(annie)
    user_delete(user=annie)
    assert Volunteer.objects.get(pk=hers.pk).user is None
