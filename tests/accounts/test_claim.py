"""An anonymous volunteer belongs to the first account that claims it."""

import pytest

from protozoo.accounts.models import Volunteer
from protozoo.accounts.services import volunteer_claim
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_account_without_a_volunteer_takes_the_anonymous_one():
    anonymous, annie = factories.make_volunteer(), factories.make_annie()
    assert volunteer_claim(anonymous=anonymous, user=annie) == anonymous
    assert Volunteer.objects.get().user == annie


def test_an_account_keeps_the_volunteer_that_it_has():
    anonymous, annie = factories.make_volunteer(), factories.make_annie()
    own = factories.make_volunteer(annie)
    assert volunteer_claim(anonymous=anonymous, user=annie) == own


def test_who_claims_second_takes_nothing():
    anonymous = factories.make_volunteer()
    annie, charlie = factories.make_annie(), factories.make_charlie()
    volunteer_claim(anonymous=Volunteer.objects.get(), user=annie)
    assert volunteer_claim(anonymous=anonymous, user=charlie) is None
    assert Volunteer.objects.get().user == annie
