"""The vote endpoint gives one clear answer to whatever comes, and loses or doubles no vote."""

import copy
import json
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from protozoo.accounts.models import Volunteer
from protozoo.voting.exceptions import AnswerError
from protozoo.voting.models import Campaign, Item, Lease, Vote
from protozoo.voting.services import items_lease, question_revise
from protozoo.voting.trees import default_tree
from protozoo.voting.votes import vote_record
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_user,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db

VOTES = "/api/votes/"


def next_items(client, campaign, **body):
    answer = client.post(f"/api/campaigns/{campaign.slug}/next/", body, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def post_text(client, text):
    """Send a body as it is."""
    return client.generic("POST", VOTES, text, "application/json")


@pytest.fixture
def campaign():
    return make_campaign(votes_to_retire=3)


@pytest.fixture
def client(campaign):
    """Give a browser whose anonymous volunteer the site knows."""
    client = APIClient()
    next_items(client, campaign)
    Lease.objects.all().delete()
    return client


@pytest.fixture
def item(campaign):
    return campaign.items.filter(kind="prototype")[0]


def revised():
    tree = copy.deepcopy(default_tree())
    tree["questions"]["shape"]["text"] = "What do you see?"
    return tree


def error_of(answer, status, code):
    assert answer.status_code == status, answer.content
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "fields"}
    assert error["code"] == code
    return error


# A vote that is taken -----------------------------------------------------------------------
def test_a_vote_is_taken(client, item, ballot):
    body = ballot(item)
    answer = client.post(VOTES, body)
    assert answer.status_code == 201
    vote = Vote.objects.get()
    assert answer.json()["id"] == vote.pk
    assert answer.json()["answer"] == "frii"
    assert answer.json()["client_uuid"] == body["client_uuid"]
    assert (vote.item, vote.path, vote.seconds) == (item, ["frii"], 3.5)
    assert vote.question.version == 1
    item.refresh_from_db()
    assert (item.n_votes, item.retired_at) == (1, None)


def test_a_volunteer_with_an_account_votes(campaign, item, ballot):
    annie = make_annie()
    client = APIClient()
    client.force_login(annie)
    assert client.post(VOTES, ballot(item)).status_code == 201
    assert Vote.objects.get().volunteer.user == annie


def test_the_answer_to_a_page_that_forgets_its_csrf_token_is_403(campaign, item, ballot):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_annie())
    error_of(client.post(VOTES, ballot(item)), 403, "permission_denied")
    assert not Vote.objects.exists()


def test_an_account_that_may_not_classify_is_refused(item, ballot):
    client = APIClient()
    client.force_login(make_charlie())
    error = error_of(client.post(VOTES, ballot(item)), 403, "permission_denied")
    assert error["message"].startswith("This account may not classify")
    assert not Vote.objects.exists()


def test_a_replay_is_the_same_vote(client, item, ballot):
    body = ballot(item)
    first = client.post(VOTES, body)
    again = client.post(VOTES, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Vote.objects.count() == 1
    item.refresh_from_db()
    assert item.n_votes == 1


def test_a_replay_is_answered_when_all_is_over(client, campaign, item, ballot):
    body = ballot(item)
    first = client.post(VOTES, body)
    Item.objects.update(retired_at=timezone.now())
    Campaign.objects.update(state="closed")
    question_revise(campaign=campaign, tree=revised())
    again = client.post(VOTES, body)
    assert again.status_code == 200
    assert again.json() == first.json()


def test_a_replay_with_another_answer_keeps_the_first(client, item, ballot):
    body = ballot(item)
    client.post(VOTES, body)
    again = client.post(VOTES, {**body, "path": ["bent"]})
    assert (again.status_code, again.json()["answer"]) == (200, "frii")


def test_the_lease_goes_with_the_vote_and_so_do_those_from_weeks_ago(
    client, campaign, item, ballot
):
    volunteer = Volunteer.objects.get()
    question = campaign.questions.get()
    now = timezone.now()
    old, recent, present = (make_volunteer() for _ in range(3))
    for who, days in ((volunteer, 1), (old, -8), (recent, -6), (present, 1)):
        Lease.objects.create(
            item=item, volunteer=who, question=question, expires_at=now + timedelta(days=days)
        )
    client.post(VOTES, ballot(item))
    left = Lease.objects.filter(item=item).values_list("volunteer", flat=True)
    assert set(left) == {recent.pk, present.pk}


# Who votes ----------------------------------------------------------------------------------
def test_a_missing_cookie_is_refused(item, ballot):
    error = error_of(APIClient().post(VOTES, ballot(item)), 403, "volunteer_unknown")
    assert "Allow cookies" in error["message"]
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    "forge", [lambda good: good[:-1] + "x" * 2, lambda good: "1234", str.upper]
)
def test_a_forged_cookie_is_refused(client, item, ballot, forge):
    name = settings.VOLUNTEER_COOKIE_NAME
    client.cookies[name] = forge(client.cookies[name].value)
    error_of(client.post(VOTES, ballot(item)), 403, "volunteer_unknown")
    assert not Vote.objects.exists()


def test_a_cookie_of_a_volunteer_with_an_account_opens_nothing(client, item, ballot):
    Volunteer.objects.update(user=make_annie())
    error_of(client.post(VOTES, ballot(item)), 403, "volunteer_unknown")


def test_a_simulated_volunteer_cannot_be_impersonated(client, item, ballot):
    Volunteer.objects.update(is_simulated=True)
    error_of(client.post(VOTES, ballot(item)), 403, "volunteer_unknown")


def test_somebody_elses_uuid_is_refused(client, item, ballot):
    theirs = make_vote(item)
    body = ballot(item, client_uuid=str(theirs.client_uuid))
    error = error_of(client.post(VOTES, body), 409, "client_uuid_taken")
    assert str(theirs.volunteer.token) not in error["message"]
    assert Vote.objects.count() == 1


# What is voted on ---------------------------------------------------------------------------
def test_an_unknown_item_is_refused(client, ballot):
    error = error_of(client.post(VOTES, ballot(999_999)), 404, "item_unknown")
    assert error["message"] == "There is no item 999999."


def test_a_second_answer_to_an_item_is_refused(client, item, ballot):
    client.post(VOTES, ballot(item))
    error_of(client.post(VOTES, ballot(item, path=["bent"])), 409, "already_voted")
    assert Vote.objects.get().answer == "frii"
    item.refresh_from_db()
    assert item.n_votes == 1


def test_a_vote_is_refused_after_retirement(client, item, ballot):
    Item.objects.filter(pk=item.pk).update(retired_at=timezone.now(), retired_because="count")
    error_of(client.post(VOTES, ballot(item)), 409, "item_retired")
    assert not Vote.objects.exists()


def test_a_lease_from_before_retirement_still_counts(client, campaign, item, ballot):
    items_lease(campaign=campaign, volunteer=Volunteer.objects.get(), count=20)
    Item.objects.filter(pk=item.pk).update(
        n_votes=3, retired_at=timezone.now(), retired_because="count"
    )
    assert client.post(VOTES, ballot(item)).status_code == 201
    item.refresh_from_db()
    assert item.n_votes == 4


@pytest.mark.parametrize("hours", [1, 24 * 7 - 1])
def test_an_answer_from_a_long_journey_counts_on_an_item_settled_meanwhile(
    client, campaign, item, ballot, hours
):
    items_lease(campaign=campaign, volunteer=Volunteer.objects.get(), count=20)
    Lease.objects.update(expires_at=timezone.now() - timedelta(hours=hours))
    Item.objects.filter(pk=item.pk).update(retired_at=timezone.now(), retired_because="count")
    assert client.post(VOTES, ballot(item)).status_code == 201


def test_an_answer_after_weeks_comes_too_late_for_a_settled_item(client, campaign, item, ballot):
    items_lease(campaign=campaign, volunteer=Volunteer.objects.get(), count=20)
    Lease.objects.update(expires_at=timezone.now() - timedelta(days=8))
    Item.objects.filter(pk=item.pk).update(retired_at=timezone.now(), retired_because="count")
    error_of(client.post(VOTES, ballot(item)), 409, "item_retired")


def test_an_item_retires_with_the_last_vote_that_it_needs(campaign, item, ballot):
    for n_votes in (1, 2, 3):
        client = APIClient()
        next_items(client, campaign)
        assert client.post(VOTES, ballot(item)).status_code == 201
        item.refresh_from_db()
        assert item.n_votes == n_votes
        assert (item.retired_at is not None) == (n_votes == 3)
    assert item.retired_because == "count"


@pytest.mark.parametrize("state", ["closed", "draft"])
def test_a_campaign_that_is_not_open_takes_no_votes(client, campaign, item, ballot, state):
    Campaign.objects.update(state=state)
    error = error_of(client.post(VOTES, ballot(item)), 409, "campaign_closed")
    assert campaign.title in error["message"]
    assert not Vote.objects.exists()


# What is answered ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (["spiral"], "The question 'shape' has no answer 'spiral'"),
        (["frii", "frii"], "The answer 'frii' comes after the last question."),
        (["FRII"], "no answer 'FRII'"),
    ],
)
def test_a_wrong_answer_is_refused(client, item, ballot, path, sentence):
    answer = post_text(client, json.dumps(ballot(item, path=path)))
    error = error_of(answer, 400, "answer_invalid")
    assert sentence in error["message"]
    assert not Vote.objects.exists()


def test_a_single_source_is_no_mixed_group(client, campaign, ballot):
    outlier = campaign.items.filter(kind="outlier")[0]
    error_of(client.post(VOTES, ballot(outlier, path=["mixed"])), 400, "answer_invalid")
    prototype = campaign.items.filter(kind="prototype")[0]
    assert client.post(VOTES, ballot(prototype, path=["mixed"])).status_code == 201


def test_an_answer_to_an_outdated_question_is_refused(client, campaign, item, ballot):
    question_revise(campaign=campaign, tree=revised())
    error = error_of(client.post(VOTES, ballot(item)), 409, "question_outdated")
    assert "load the page again" in error["message"]
    assert client.post(VOTES, ballot(item, question_version=2)).status_code == 201


def test_an_answer_to_the_version_that_was_served_is_taken(client, campaign, item, ballot):
    items_lease(campaign=campaign, volunteer=Volunteer.objects.get(), count=20)
    question_revise(campaign=campaign, tree=revised())
    assert client.post(VOTES, ballot(item)).status_code == 201
    assert Vote.objects.get().question.version == 1


def test_an_item_served_anew_asks_the_new_question(client, campaign, item, ballot):
    volunteer = Volunteer.objects.get()
    items_lease(campaign=campaign, volunteer=volunteer, count=20)
    question_revise(campaign=campaign, tree=revised())
    items_lease(campaign=campaign, volunteer=volunteer, count=20)
    error_of(client.post(VOTES, ballot(item)), 409, "question_outdated")


def test_a_version_that_never_was_is_refused(client, item, ballot):
    error = error_of(client.post(VOTES, ballot(item, question_version=7)), 400, "answer_invalid")
    assert error["message"] == "The question has no version 7; the newest is 1."


# Clocks -------------------------------------------------------------------------------------
@pytest.mark.parametrize("answered_at", ["2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_answer_from_the_future_was_given_now(client, item, ballot, answered_at):
    before = timezone.now()
    answer = client.post(VOTES, ballot(item, answered_at=answered_at))
    assert answer.status_code == 201
    assert before <= parse_datetime(answer.json()["answered_at"]) <= timezone.now()


def test_an_answer_from_before_the_campaign_was_given_at_its_start(client, campaign, item, ballot):
    client.post(VOTES, ballot(item, answered_at="1970-01-01T00:00:00Z"))
    assert Vote.objects.get().answered_at == campaign.created_at


def test_an_answer_given_offline_keeps_its_time(client, campaign, item, ballot):
    Campaign.objects.update(created_at=timezone.now() - timedelta(days=9))
    given_at = timezone.now() - timedelta(days=2)
    client.post(VOTES, ballot(item, answered_at=given_at.isoformat()))
    assert Vote.objects.get().answered_at == given_at


def test_a_long_pause_counts_as_ten_minutes(client, item, ballot):
    assert client.post(VOTES, ballot(item, seconds=1e9)).json()["seconds"] == 600.0


def test_negative_seconds_are_refused(client, item, ballot):
    error = error_of(client.post(VOTES, ballot(item, seconds=-0.5)), 400, "answer_invalid")
    assert error["message"] == "seconds must be a number that is not negative, got -0.5."
    assert not Vote.objects.exists()


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0])
def test_impossible_seconds_are_refused_whoever_asks(item, ballot, seconds):
    with pytest.raises(AnswerError, match="seconds must be a number"):
        vote_record(
            volunteer=make_volunteer(),
            item_id=item.pk,
            question_version=1,
            path=["frii"],
            client_uuid=uuid.uuid4(),
            seconds=seconds,
            answered_at=timezone.now(),
        )
    assert not Vote.objects.exists()


# Bodies that are no votes -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("item", "abc"),
        ("item", None),
        ("item", 1.5),
        ("item", [1]),
        ("item", 0),
        ("item", 2**63),
        ("item", 10**400),
        ("question_version", "one"),
        ("question_version", 2**31),
        ("path", "frii"),
        ("path", []),
        ("path", [["frii"]]),
        ("path", [None]),
        ("path", ["frii\x00"]),
        ("path", ["x" * 61]),
        ("path", ["frii"] * 51),
        ("path", ["\ud800"]),
        ("seconds", "soon"),
        ("seconds", "NaN"),
        ("seconds", "-Infinity"),
        ("seconds", {}),
        ("answered_at", "yesterday"),
        ("answered_at", 12),
        ("answered_at", "0001-01-01T00:00:00+23:59"),
        ("client_uuid", "mine"),
        ("client_uuid", -1),
        ("client_uuid", 2**128),
        ("client_uuid", {}),
    ],
)
def test_a_wrong_type_names_its_field(client, item, ballot, field, value):
    answer = post_text(client, json.dumps(ballot(item, **{field: value})))
    error = error_of(answer, 400, "invalid")
    assert field in error["fields"]
    assert error["message"].startswith(f"{field}: ")
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    "field", ["client_uuid", "item", "question_version", "seconds", "answered_at"]
)
def test_a_missing_field_is_named(client, item, ballot, field):
    body = ballot(item)
    del body[field]
    error = error_of(client.post(VOTES, body), 400, "invalid")
    assert error["fields"] == {field: "This field is required."}


@pytest.mark.parametrize(
    "body", [b"{", b"", b"null", b"[]", b'"vote"', b"\xff\xfe", b'{"seconds": NaN}', b"[" * 30_000]
)
def test_malformed_json_is_refused(client, body):
    answer = post_text(client, body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["message"]
    assert not Vote.objects.exists()


def test_a_huge_body_is_refused_unread(client, item, ballot):
    body = json.dumps({**ballot(item), "padding": "x" * 40_000})
    error = error_of(post_text(client, body), 413, "body_too_large")
    assert "at most 32768 are accepted" in error["message"]
    assert not Vote.objects.exists()


def test_a_form_is_no_vote(client, item, ballot):
    answer = client.generic("POST", VOTES, b"item=1", "application/x-www-form-urlencoded")
    error_of(answer, 415, "unsupported_media_type")


def test_votes_are_only_posted(client):
    for method in (client.get, client.put, client.patch, client.delete):
        error_of(method(VOTES), 405, "method_not_allowed")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = ["client_uuid", "item", "question_version", "path", "seconds", "answered_at"]


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.dictionaries(st.sampled_from(FIELDS), json_values, min_size=1))
def test_no_body_breaks_the_server(client, item, ballot, changes):
    body = json.dumps(ballot(item, **changes))
    answer = post_text(client, body)
    assert answer.status_code in {200, 201, 400, 404, 409}, answer.content
    assert Vote.objects.count() <= 1


# Own votes ----------------------------------------------------------------------------------
def test_everybody_reads_their_own_votes(client, campaign, item, ballot):
    make_vote(item)
    client.post(VOTES, ballot(item))
    rows = client.get("/api/votes/mine/").json()
    assert rows["count"] == 1
    assert rows["results"][0]["item"] == item.pk
    assert rows["results"][0]["campaign"] == campaign.slug


def test_nobody_has_no_votes(item):
    make_vote(item)
    assert APIClient().get("/api/votes/mine/").json()["results"] == []


def test_own_votes_take_few_queries(client, campaign, ballot, django_assert_max_num_queries):
    for each in campaign.items.all():
        client.post(VOTES, ballot(each))
    with django_assert_max_num_queries(3):
        rows = client.get("/api/votes/mine/").json()
    assert rows["count"] == campaign.items.count()


def test_a_vote_takes_a_bounded_number_of_queries(
    client, campaign, item, ballot, django_assert_max_num_queries
):
    items_lease(campaign=campaign, volunteer=Volunteer.objects.get(), count=5)
    # Four more are the savepoints of two observers.
    with django_assert_max_num_queries(21):
        assert client.post(VOTES, ballot(item)).status_code == 201


# All at once --------------------------------------------------------------------------------
def browser_of(volunteer_client):
    """Make a client of its own for a thread, with the same cookies."""
    client = Client()
    client.cookies = volunteer_client.cookies
    return client


@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_vote(all_at_once, client, item, ballot):
    body = ballot(item)
    browsers = [browser_of(client) for _ in range(6)]
    answers = all_at_once(
        [lambda b=browser: b.post(VOTES, body, "application/json") for browser in browsers]
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Vote.objects.count() == 1
    item.refresh_from_db()
    assert item.n_votes == 1


@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once_are_one_vote(all_at_once, client, item, ballot):
    bodies = [ballot(item, path=[key]) for key in ("fri", "frii", "bent")]
    answers = all_at_once(
        [lambda b=body: browser_of(client).post(VOTES, b, "application/json") for body in bodies]
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    item.refresh_from_db()
    assert (Vote.objects.count(), item.n_votes) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_one_uuid_for_two_items_at_once_is_one_vote(all_at_once, client, campaign, ballot):
    one = str(uuid.uuid4())
    bodies = [ballot(item, client_uuid=one) for item in campaign.items.all()[:4]]
    answers = all_at_once(
        [lambda b=body: browser_of(client).post(VOTES, b, "application/json") for body in bodies]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert Vote.objects.count() == 1
    assert sum(Item.objects.values_list("n_votes", flat=True)) == 1


@pytest.mark.django_db(transaction=True)
def test_many_volunteers_at_once_lose_no_vote(all_at_once, campaign, item, ballot):
    browsers = []
    for _ in range(8):
        browser = APIClient()
        next_items(browser, campaign, count=10)
        browsers.append(browser)
    Lease.objects.exclude(item=item).delete()
    n_leases = Lease.objects.count()
    answers = all_at_once(
        [
            lambda b=browser: browser_of(b).post(VOTES, ballot(item), "application/json")
            for browser in browsers
        ]
    )
    taken = [answer for answer in answers if answer.status_code == 201]
    refused = [answer.json()["error"]["code"] for answer in answers if answer not in taken]
    item.refresh_from_db()
    assert item.n_votes == Vote.objects.count() == len(taken) >= max(3, n_leases)
    assert set(refused) <= {"item_retired"}
    assert item.retired_because == "count"


@pytest.mark.django_db(transaction=True)
def test_one_account_from_two_devices_at_once_is_one_volunteer(all_at_once, campaign):
    annie = make_user("annie", role="volunteer")
    browsers = []
    for _ in range(4):
        browser = Client()
        browser.force_login(annie)
        browsers.append(browser)
    address = f"/api/campaigns/{campaign.slug}/next/"
    answers = all_at_once(
        [
            lambda b=browser: b.post(address, {"count": 3}, "application/json")
            for browser in browsers
        ]
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert Volunteer.objects.filter(user=annie).count() == 1
