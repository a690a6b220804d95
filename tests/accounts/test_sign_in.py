"""An anonymous volunteer's votes follow them into the account, from every browser."""

import uuid

import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from protozoo.accounts.models import User, Volunteer
from protozoo.voting.models import Vote
from tests.factories import make_annie, make_campaign, make_user

pytestmark = pytest.mark.django_db

PASSWORD = "the-great-refractor"
COOKIE = settings.VOLUNTEER_COOKIE_NAME


@pytest.fixture
def campaign():
    return make_campaign(votes_to_retire=5)


def browser():
    """Make a browser without cookies that sends forms as browsers do."""
    client = APIClient()
    client.default_format = "multipart"
    return client


def sign_up(client, username="annie"):
    answer = client.post(
        "/accounts/signup/",
        {"username": username, "email": "", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert answer.status_code == 302, answer.content
    return answer


def log_in(client, username="annie"):
    answer = client.post("/accounts/login/", {"login": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return answer


def vote(client, campaign, item=None, answer="frii"):
    """Vote on an item, or on the next."""
    got = client.post(f"/api/campaigns/{campaign.slug}/next/", {}, format="json").json()
    body = {
        "client_uuid": str(uuid.uuid4()),
        "item": item.pk if item else got["items"][0]["id"],
        "question_version": 1,
        "path": [answer],
        "seconds": 2.0,
        "answered_at": timezone.now().isoformat(),
    }
    taken = client.post("/api/votes/", body, format="json")
    assert taken.status_code == 201, taken.content
    return body


def test_signing_up_makes_a_volunteer():
    sign_up(browser())
    annie = User.objects.get()
    assert annie.has_perm("accounts.classify")
    assert not annie.has_perm("accounts.review")
    assert not annie.is_staff


def test_signing_up_keeps_the_votes(campaign):
    client = browser()
    bodies = [vote(client, campaign) for _ in range(3)]
    anonymous = Volunteer.objects.get()
    answer = sign_up(client)

    assert answer.cookies[COOKIE].value == ""
    assert Volunteer.objects.get() == anonymous
    assert Volunteer.objects.get().user.username == "annie"
    assert client.get("/api/votes/mine/").json()["count"] == 3
    again = client.post("/api/votes/", bodies[0], format="json")
    assert again.status_code == 200


def test_logging_in_elsewhere_brings_the_votes_along(campaign):
    home, work = browser(), browser()
    vote(home, campaign)
    sign_up(home)
    bodies = [vote(work, campaign) for _ in range(2)]
    log_in(work)

    annie = Volunteer.objects.get(user__username="annie")
    assert annie.votes.count() == 2 + 1
    assert {each.volunteer for each in Vote.objects.all()} == {annie}
    again = work.post("/api/votes/", bodies[0], format="json")
    assert again.status_code == 200
    assert home.get("/api/votes/mine/").json() == work.get("/api/votes/mine/").json()


def test_the_same_item_answered_on_both_sides_counts_once(campaign):
    item = campaign.items.all()[0]
    home, work = browser(), browser()
    vote(home, campaign, item, "bent")
    vote(work, campaign, item, "compact")
    item.refresh_from_db()
    assert item.n_votes == 2
    sign_up(home)
    log_in(work)
    item.refresh_from_db()
    assert item.n_votes == 1
    rows = work.get("/api/votes/mine/").json()["results"]
    assert [row["answer"] for row in rows] == ["bent"]


def test_after_logging_out_somebody_else_begins_anew(campaign):
    client = browser()
    vote(client, campaign)
    sign_up(client)
    client.post("/accounts/logout/")
    assert client.get("/api/votes/mine/").json()["count"] == 0
    vote(client, campaign)
    assert Volunteer.objects.count() == 2
    assert Volunteer.objects.get(user=None).votes.count() == 1


def test_a_stolen_cookie_of_an_account_opens_nothing(campaign):
    client, thief = browser(), browser()
    vote(client, campaign)
    thief.cookies[COOKIE] = client.cookies[COOKIE].value
    sign_up(client)
    assert thief.get("/api/votes/mine/").json()["count"] == 0
    vote(thief, campaign)
    assert Volunteer.objects.get(user__username="annie").votes.count() == 1


def test_logging_in_without_votes_makes_no_volunteer():
    make_annie()
    log_in(browser())
    assert not Volunteer.objects.exists()


def test_a_wrong_password_moves_nothing(campaign):
    make_annie()
    client = browser()
    vote(client, campaign)
    answer = client.post("/accounts/login/", {"login": "annie", "password": "guess"})
    assert answer.status_code == 200
    assert Volunteer.objects.get().user is None


def test_two_people_at_one_browser_keep_their_votes_apart(campaign):
    client = browser()
    vote(client, campaign)
    sign_up(client, "annie")
    client.post("/accounts/logout/")
    make_user("williamina", role="scientist")
    vote(client, campaign)
    log_in(client, "williamina")
    for name in ("annie", "williamina"):
        assert Volunteer.objects.get(user__username=name).votes.count() == 1
