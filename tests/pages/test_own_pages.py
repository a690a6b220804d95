"""Volunteers download their answers, choose how they are thanked, and leave."""

import csv
import io
import json

import pytest
from django.contrib.auth import get_user
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from protozoo.accounts.cookies import volunteer_cookie_set
from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.services import volunteer_credit
from protozoo.voting.models import Favourite, Vote
from protozoo.voting.votes import favourite_add
from tests.factories import (
    make_annie,
    make_campaign,
    make_grid,
    make_sorting,
    make_subject,
    make_survey,
    make_user,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db

PASSWORD = "the-great-refractor"


def known(volunteer: Volunteer, **settings) -> Client:
    """Make a browser that has the volunteer's cookie."""
    answer = HttpResponse()
    volunteer_cookie_set(answer, token=volunteer.token)
    client = Client(**settings)
    client.cookies.update(answer.cookies)
    return client


def body(page) -> str:
    return b"".join(page.streaming_content).decode()


# Downloads ----------------------------------------------------------------------------------
def test_annie_downloads_all_her_answers_and_nobody_elses(client) -> None:
    annie = make_annie()
    hers = make_volunteer(annie)
    campaign = make_campaign(slug="radio")
    item = campaign.items.filter(kind="outlier")[0]
    gone = make_vote(item, volunteer=hers, answer="fri", superseded_at=timezone.now())
    said = {"tags": ["ring", "x-shaped"], "is_strange": True, "comment": "=Look\nhere!"}
    marks = [{"role": "host", "shape": "point", "x_arcsec": -1.5, "y_arcsec": 2.0}]
    counts = make_vote(item, volunteer=hers, answer="frii", marks=marks, **said)
    make_vote(item, answer="bent")
    client.force_login(annie)
    page = client.get("/me/answers.csv")
    assert page["Content-Disposition"] == 'attachment; filename="my-answers.csv"'
    rows = list(csv.DictReader(io.StringIO(body(page))))
    assert [row["client_uuid"] for row in rows] == [str(gone.client_uuid), str(counts.client_uuid)]
    assert [row["counts"] for row in rows] == ["false", "true"]
    assert rows[1]["answer"] == "frii"
    assert rows[1]["answer_in_words"] == "FR II"
    assert rows[1]["path"] == '["frii"]'
    assert json.loads(rows[1]["tags"]) == ["ring", "x-shaped"]
    assert (rows[1]["is_strange"], rows[1]["comment"]) == ("true", "'=Look\nhere!")
    assert json.loads(rows[1]["marks"]) == marks
    assert rows[1]["shown"] == item.subject.identifier
    assert (rows[1]["campaign"], rows[1]["kind"]) == ("radio", "outlier")


def test_the_same_comes_as_json(client) -> None:
    annie = make_annie()
    grid = make_grid(make_campaign())
    ticked = list(grid.members.values_list("subject", flat=True)[:2])
    make_vote(grid, volunteer=make_volunteer(annie), answer="sorted", path=[], ticked=ticked)
    outlier = grid.campaign.items.filter(kind="outlier")[0]
    make_vote(outlier, volunteer=make_volunteer(annie))
    client.force_login(annie)
    first, second = json.loads(body(client.get("/me/answers.json")))
    assert first["ticked"] == ticked
    assert first["counts"] is True
    assert second["ticked"] is None


def test_a_volunteer_without_answers_downloads_an_empty_list() -> None:
    client = known(make_volunteer())
    assert json.loads(body(client.get("/me/answers.json"))) == []
    assert len(body(client.get("/me/answers.csv")).splitlines()) == 1


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
def test_no_cell_is_a_formula_to_a_spreadsheet(client, sign: str) -> None:
    annie = make_annie()
    survey = make_survey()
    make_subject(survey=survey, identifier=f"{sign}HYPERLINK(1)")
    sorting = make_sorting(survey=survey, n_subjects=1, n_audit=0)
    make_vote(
        make_campaign(sorting=sorting).items.filter(kind="outlier")[0],
        volunteer=make_volunteer(annie),
    )
    client.force_login(annie)
    (row,) = csv.DictReader(io.StringIO(body(client.get("/me/answers.csv"))))
    assert row["shown"] == f"'{sign}HYPERLINK(1)"


def test_many_answers_take_few_queries(client, django_assert_max_num_queries) -> None:
    annie = make_annie()
    for item in make_campaign(n_outliers=20).items.all():
        make_vote(item, volunteer=make_volunteer(annie))
    client.force_login(annie)
    with django_assert_max_num_queries(5):
        body(client.get("/me/answers.csv"))


def test_a_stranger_has_nothing_to_download(client) -> None:
    assert client.get("/me/answers.csv").status_code == 404
    assert client.get("/me/answers.json").status_code == 404


@pytest.mark.parametrize("page", ["", "favourites/", "thanks/", "leave/", "answers.csv"])
def test_what_is_ones_own_is_kept_by_no_cache(client, page) -> None:
    annie = make_annie()
    make_volunteer(annie)
    client.force_login(annie)
    assert {"private", "no-store"} <= {*client.get(f"/me/{page}")["Cache-Control"].split(", ")}


# Favourites ---------------------------------------------------------------------------------
def test_annie_finds_her_favourites_and_takes_one_off(client) -> None:
    annie = make_annie()
    hers = make_volunteer(annie)
    campaign = make_campaign()
    group, outlier = (campaign.items.filter(kind=kind)[0] for kind in ("prototype", "outlier"))
    client.force_login(annie)
    assert "No favourites yet" in client.get("/me/favourites/").content.decode()
    for item in (group, outlier):
        favourite_add(item=item, volunteer=hers)
    assert "2 pictures that I want to find again" in client.get("/me/").content.decode()
    text = client.get("/me/favourites/").content.decode()
    assert f'href="/prototypes/{group.prototype_id}/"' in text
    assert f'href="/subjects/{outlier.subject_id}/"' in text
    kept = hers.favourites.get(item=group)
    client.post("/me/favourites/", {"favourite": kept.pk})
    assert [each.item for each in hers.favourites.all()] == [outlier]


def test_nobody_takes_off_what_is_anothers(client) -> None:
    kept = make_volunteer()
    favourite_add(item=make_campaign().items.all()[0], volunteer=kept)
    client.force_login(make_annie())
    for sent in (kept.favourites.get().pk, "x", "", "9" * 30, "9" * 5000):
        make_volunteer(User.objects.get(username="annie"))
        assert client.post("/me/favourites/", {"favourite": sent}).status_code == 404
    assert kept.favourites.count() == 1


def test_favourites_take_few_queries(client, django_assert_max_num_queries) -> None:
    annie = make_annie()
    for item in make_campaign(n_outliers=20).items.all():
        favourite_add(item=item, volunteer=make_volunteer(annie))
    client.force_login(annie)
    with django_assert_max_num_queries(7):
        client.get("/me/favourites/")


# Thanks -------------------------------------------------------------------------------------
def test_an_anonymous_volunteer_is_thanked_by_nickname_if_they_wish(client) -> None:
    volunteer = make_volunteer()
    campaign = make_campaign(slug="radio")
    make_vote(campaign.items.all()[0], volunteer=volunteer)
    browser = known(volunteer)
    assert "I am not named in public" in browser.get("/me/").content.decode()
    told = browser.post("/me/thanks/", {"credit": "nickname", "nickname": "OBAFGKM"}, follow=True)
    assert "I am thanked in public as OBAFGKM" in told.content.decode()
    for path in ("/credits/", "/campaigns/radio/credits/"):
        text = client.get(path).content.decode()
        assert "OBAFGKM" in text
        assert "1 answer<" in text


def test_what_is_wrong_with_a_name_is_told_beside_it() -> None:
    browser = known(make_volunteer())
    page = browser.post("/me/thanks/", {"credit": "name", "full_name": "https://example.org"})
    assert page.status_code == 400
    assert "letters, digits" in page.content.decode()
    missing = browser.post("/me/thanks/", {"credit": "name"})
    assert "Tell the name" in missing.content.decode()
    assert browser.post("/me/thanks/", {"credit": "loudly"}).status_code == 400


def test_only_those_who_wish_are_named_and_only_where_they_helped(client) -> None:
    here, elsewhere = make_campaign(slug="here"), make_campaign(slug="elsewhere")
    for name, campaign in (("Annie", here), ("Williamina", elsewhere), ("Nobody", here)):
        volunteer = make_volunteer(make_user(name.lower()))
        make_vote(campaign.items.all()[0], volunteer=volunteer)
        if name != "Nobody":
            volunteer_credit(volunteer=volunteer, credit="name", full_name=name)
    idle = make_volunteer()
    volunteer_credit(volunteer=idle, credit="name", full_name="Edward")
    text = client.get("/credits/").content.decode()
    assert text.index("Annie") < text.index("Williamina")
    assert "obody" not in text.replace("Nobody is", "")
    assert "Edward" not in text
    assert "Williamina" not in client.get("/campaigns/here/credits/").content.decode()


def test_many_names_come_on_pages_in_few_queries(client, django_assert_max_num_queries) -> None:
    item = make_campaign().items.all()[0]
    for number in range(201):
        volunteer = make_volunteer()
        volunteer_credit(volunteer=volunteer, credit="name", full_name=f"Computer {number:03d}")
        make_vote(item, volunteer=volunteer)
    with django_assert_max_num_queries(4):
        text = client.get("/credits/").content.decode()
    assert "Page 1 of 2" in text
    assert "Computer 200" in client.get("/credits/?page=2").content.decode()


def test_drafts_and_strangers_thank_nobody(client) -> None:
    make_campaign(slug="later", state="draft")
    assert client.get("/campaigns/later/credits/").status_code == 404
    assert client.get("/campaigns/nowhere/credits/").status_code == 404
    assert "Nobody is named yet" in client.get("/credits/").content.decode()


# Leaving ------------------------------------------------------------------------------------
def test_an_account_goes_with_its_password_and_the_votes_stay(client) -> None:
    annie = make_annie()
    hers = make_volunteer(annie)
    volunteer_credit(volunteer=hers, credit="name", full_name="Annie")
    vote = make_vote(volunteer=hers, comment="I am Annie's", tags=["ring"])
    favourite_add(item=vote.item, volunteer=hers)
    client.force_login(annie)
    assert "What stays" in client.get("/me/leave/").content.decode()
    page = client.post("/me/leave/", {"password": PASSWORD}, follow=True)
    assert "Your account is deleted" in page.content.decode()
    assert not User.objects.exists()
    assert not get_user(client).is_authenticated
    left = Vote.objects.get(pk=vote.pk).volunteer
    assert (left.pk, left.user, left.credited_as) == (hers.pk, None, "")
    assert not Favourite.objects.exists()
    assert "Annie" not in client.get("/credits/").content.decode()


def test_a_wrong_password_deletes_nothing(client) -> None:
    client.force_login(make_annie())
    for sent in ({"password": "wrong"}, {"password": ""}, {}):
        page = client.post("/me/leave/", sent)
        assert page.status_code == 400
    assert (
        "This is not your password" in client.post("/me/leave/", {"password": "x"}).content.decode()
    )
    assert User.objects.filter(username="annie").exists()
    assert client.get("/me/leave/").status_code == 200


def test_an_account_without_a_password_is_confirmed_by_its_name(client) -> None:
    annie = make_annie()
    annie.set_unusable_password()
    annie.save()
    client.force_login(annie)
    assert client.post("/me/leave/", {"username": "anny"}).status_code == 400
    assert client.post("/me/leave/", {"username": "annie"}).status_code == 302
    assert not User.objects.exists()


def test_the_last_superuser_is_told_and_kept_whole(client) -> None:
    only = make_user("cecilia", is_superuser=True)
    hers = make_volunteer(only)
    client.force_login(only)
    page = client.post("/me/leave/", {"password": PASSWORD})
    assert page.status_code == 400
    assert "createsuperuser" in page.content.decode()
    hers.refresh_from_db()
    assert hers.user == only


def test_an_anonymous_volunteer_is_forgotten(client) -> None:
    volunteer = make_volunteer()
    vote = make_vote(volunteer=volunteer)
    browser = known(volunteer)
    assert "Forget me" in browser.get("/me/").content.decode()
    page = browser.post("/me/leave/", follow=True)
    assert "This browser is forgotten" in page.content.decode()
    assert "No answers yet" in browser.get("/me/").content.decode()
    # Not even the old cookie finds the answers again.
    assert "No answers yet" in known(volunteer).get("/me/").content.decode()
    assert Vote.objects.get(pk=vote.pk).volunteer_id == volunteer.pk


def test_looking_at_the_page_deletes_nothing(client) -> None:
    browser = known(make_volunteer())
    before = Volunteer.objects.get().token
    assert browser.get("/me/leave/").status_code == 200
    assert Volunteer.objects.get().token == before


@pytest.mark.parametrize("path", ["/me/leave/", "/me/thanks/"])
def test_forms_from_elsewhere_are_refused(path: str) -> None:
    browser = known(make_volunteer(), enforce_csrf_checks=True)
    assert browser.post(path, {"credit": "none"}).status_code == 403


@pytest.mark.parametrize("path", ["/me/leave/", "/me/thanks/"])
def test_strangers_are_sent_to_their_answers(client, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assert (answer.status_code, answer["Location"]) == (302, "/me/")
    assert not Volunteer.objects.exists()
