"""Volunteers choose how they are thanked: by name, by nickname, or not at all."""

import pytest

from protozoo.accounts.exceptions import CreditError
from protozoo.accounts.services import volunteer_claim, volunteer_credit
from tests.factories import make_annie, make_edward, make_volunteer

pytestmark = pytest.mark.django_db


def test_nobody_is_named_without_asking_for_it() -> None:
    assert make_volunteer(make_annie()).credited_as == ""


@pytest.mark.parametrize(
    "name", ["Annie Jump Cannon", "O'Neill-Šćepanović, Jr.", "अनिता शर्मा", "李 明", "Zoo 17 (Rio)"]
)
def test_names_of_all_the_world_are_taken(name: str) -> None:
    volunteer = make_volunteer()
    volunteer_credit(volunteer=volunteer, credit="name", full_name=f"  {name} ")
    volunteer.refresh_from_db()
    assert volunteer.credited_as == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (" ", "Tell the name"),
        ("123", "letters, digits"),
        ("https://example.org", "letters, digits"),
        ("<b>Annie</b>", "letters, digits"),
        ("Annie | Jump", "letters, digits"),
        ("An\u202enie", "letters, digits"),
        ("n" * 41, "at most 40"),
    ],
)
def test_what_is_no_name_is_refused(name: str, words: str) -> None:
    volunteer = make_volunteer()
    with pytest.raises(CreditError, match=words):
        volunteer_credit(volunteer=volunteer, credit="nickname", nickname=name)
    volunteer.refresh_from_db()
    assert volunteer.credit == "none"


def test_a_name_that_is_not_chosen_is_forgotten() -> None:
    volunteer = make_volunteer()
    volunteer_credit(volunteer=volunteer, credit="name", full_name="Annie Jump Cannon")
    volunteer_credit(
        volunteer=volunteer, credit="nickname", full_name="Annie Jump Cannon", nickname="OBAFGKM"
    )
    volunteer.refresh_from_db()
    assert (volunteer.full_name, volunteer.credited_as) == ("", "OBAFGKM")


def test_a_wish_goes_with_the_votes_into_an_account_that_has_none() -> None:
    annie = make_annie()
    own, anonymous = make_volunteer(annie), make_volunteer()
    volunteer_credit(volunteer=anonymous, credit="nickname", nickname="OBAFGKM")
    volunteer_claim(anonymous=anonymous, user=annie)
    own.refresh_from_db()
    anonymous.refresh_from_db()
    assert (own.credited_as, anonymous.credited_as) == ("OBAFGKM", "")


def test_the_accounts_own_wish_stands() -> None:
    annie = make_annie()
    own, anonymous = make_volunteer(annie), make_volunteer()
    volunteer_credit(volunteer=own, credit="name", full_name="Annie")
    volunteer_credit(volunteer=anonymous, credit="nickname", nickname="OBAFGKM")
    volunteer_claim(anonymous=anonymous, user=annie)
    own.refresh_from_db()
    assert own.credited_as == "Annie"


def test_an_admin_takes_a_name_out_of_the_thanks(client) -> None:
    rude, kind = make_volunteer(), make_volunteer()
    for volunteer, name in ((rude, "Rude Word"), (kind, "Annie")):
        volunteer_credit(volunteer=volunteer, credit="nickname", nickname=name)
    sent = {"action": "names_withdraw", "_selected_action": [rude.pk]}
    address = "/admin/accounts/volunteer/"
    client.force_login(make_annie())
    assert client.post(address, sent).status_code == 302
    rude.refresh_from_db()
    assert rude.credited_as == "Rude Word"
    client.force_login(make_edward())
    client.post(address, sent)
    for volunteer in (rude, kind):
        volunteer.refresh_from_db()
    assert (rude.credited_as, rude.nickname, kind.credited_as) == ("", "", "Annie")
