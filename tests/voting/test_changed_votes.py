"""A volunteer may change an answer: the newest counts, none is lost, none counts twice."""

import copy
import uuid

import pytest
from django.test import Client
from rest_framework.test import APIClient

from protozoo.voting.models import Campaign, Item, Vote
from protozoo.voting.services import question_revise
from protozoo.voting.trees import default_tree
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_grid,
    make_single,
    make_vote,
)

pytestmark = pytest.mark.django_db

VOTES = "/api/votes/"


@pytest.fixture
def campaign():
    return make_campaign(votes_to_retire=3)


@pytest.fixture
def item(campaign):
    return campaign.items.filter(kind="prototype")[0]


@pytest.fixture
def client(campaign):
    """Give a browser whose anonymous volunteer the site knows."""
    client = APIClient()
    assert client.post(f"/api/campaigns/{campaign.slug}/next/", {}).status_code == 200
    return client


@pytest.fixture
def change(client, ballot):
    """Answer an item again, in place of the vote with this client_uuid."""

    def post(item, former, path=("bent",), **fields):
        return client.post(VOTES, ballot(item, path=list(path), supersedes=former, **fields))

    return post


def voted(client, body):
    answer = client.post(VOTES, body)
    assert answer.status_code == 201, answer.content
    return answer.json()["client_uuid"]


def error_of(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer.json()["error"]["code"] == code
    return answer.json()["error"]["message"]


def test_the_new_answer_counts_and_the_old_one_stays_in_the_record(client, item, ballot, change):
    first = voted(client, ballot(item))
    answer = change(item, first)
    assert answer.status_code == 201
    assert (answer.json()["answer"], answer.json()["supersedes"]) == ("bent", first)
    old, new = Vote.objects.order_by("pk")
    assert (old.answer, old.superseded_at is None) == ("frii", False)
    assert (new.answer, new.superseded_at, new.supersedes) == ("bent", None, old)
    item.refresh_from_db()
    assert (item.n_votes, item.retired_at) == (1, None)
    assert [row["answer"] for row in client.get("/api/votes/mine/").json()["results"]] == ["bent"]


def test_an_answer_can_be_changed_again_and_again(client, item, ballot, change):
    former = first = voted(client, ballot(item))
    for key in ("fri", "bent", "frii"):
        former = change(item, former, [key]).json()["client_uuid"]
    assert change(item, first, ["compact"]).status_code == 201  # by its first name, too
    counting = Vote.objects.get(superseded_at=None)
    assert counting.answer == "compact"
    assert str(counting.supersedes.client_uuid) == former
    item.refresh_from_db()
    assert (Vote.objects.count(), item.n_votes) == (5, 1)


def test_a_change_sent_again_is_the_same_change(client, item, ballot):
    first = voted(client, ballot(item))
    body = ballot(item, path=["bent"], supersedes=first)
    answers = [client.post(VOTES, body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert Vote.objects.count() == 2


def test_the_first_answer_sent_again_after_a_change_changes_nothing(client, item, ballot, change):
    body = ballot(item)
    first = voted(client, body)
    change(item, first)
    again = client.post(VOTES, body)
    assert (again.status_code, again.json()["answer"]) == (200, "frii")
    assert Vote.objects.get(superseded_at=None).answer == "bent"


def test_what_has_retired_stays_retired_and_can_still_be_changed(client, item, ballot, change):
    for _ in range(2):
        make_vote(item)
    first = voted(client, ballot(item))
    item.refresh_from_db()
    retired_at = item.retired_at
    assert retired_at is not None
    assert change(item, first).status_code == 201
    item.refresh_from_db()
    assert (item.n_votes, item.retired_at, item.retired_because) == (3, retired_at, "count")


def test_a_grid_is_answered_anew(client, campaign, ballot):
    grid = make_grid(campaign)
    ticked = [grid.members.all()[0].subject_id]
    bodies = [
        {**ballot(grid), "grid": {"verdict": verdict, "ticked": ticks}}
        for verdict, ticks in (("sorted", ticked), ("too_mixed", []))
    ]
    for body in bodies:
        del body["path"]
    first = voted(client, bodies[0])
    assert client.post(VOTES, {**bodies[1], "supersedes": first}).status_code == 201
    assert Vote.objects.get(superseded_at=None).answer == "too_mixed"


def test_the_version_first_answered_may_be_answered_again(client, campaign, item, ballot, change):
    first = voted(client, ballot(item))
    tree = copy.deepcopy(default_tree())
    tree["questions"]["shape"]["text"] = "What do you see?"
    question_revise(campaign=campaign, tree=tree)
    assert change(item, first).status_code == 201
    assert Vote.objects.get(superseded_at=None).question.version == 1


# What cannot be changed ---------------------------------------------------------------------
def test_without_an_earlier_answer_there_is_nothing_to_change(change, item):
    message = error_of(change(item, str(uuid.uuid4())), 404, "vote_unknown")
    assert message == "You have no earlier answer to this item that could be changed."
    assert not Vote.objects.exists()


def test_somebody_elses_answer_is_nobodys_to_change(change, item):
    theirs = make_vote(item)
    error_of(change(item, str(theirs.client_uuid)), 404, "vote_unknown")
    theirs.refresh_from_db()
    assert theirs.superseded_at is None


def test_an_answer_to_another_item_is_not_changed_by_this_one(client, campaign, ballot, change):
    one, other = campaign.items.filter(kind="prototype")[:2]
    first = voted(client, ballot(one))
    error_of(change(other, first), 404, "vote_unknown")
    assert Vote.objects.get().superseded_at is None


def test_without_saying_so_a_second_answer_is_no_change(client, item, ballot):
    voted(client, ballot(item))
    error_of(client.post(VOTES, ballot(item, supersedes=None)), 409, "already_voted")


def test_an_answer_to_a_source_that_experts_know_stays(client, campaign, ballot, change):
    gold = make_single(campaign, "gold", label="bent")
    first = voted(client, ballot(gold))
    assert "been told what this one is" in error_of(change(gold, first), 409, "already_voted")
    assert Vote.objects.get().superseded_at is None


def test_a_closed_campaign_takes_no_changes(client, item, ballot, change):
    first = voted(client, ballot(item))
    Campaign.objects.update(state="closed")
    error_of(change(item, first), 409, "campaign_closed")


def test_a_wrong_answer_leaves_the_former_one(client, item, ballot, change):
    first = voted(client, ballot(item))
    error_of(change(item, first, ["spiral"]), 400, "answer_invalid")
    assert Vote.objects.get().superseded_at is None


@pytest.mark.parametrize("former", ["mine", 7.5, [], {}])
def test_a_name_that_is_none_is_refused(change, item, former):
    assert "supersedes" in error_of(change(item, former), 400, "invalid")


def test_strangers_and_accounts_that_may_not_classify_change_nothing(item, ballot):
    theirs = make_vote(item)
    body = ballot(item, supersedes=str(theirs.client_uuid))
    error_of(APIClient().post(VOTES, body), 403, "volunteer_unknown")
    charlie = APIClient()
    charlie.force_login(make_charlie())
    error_of(charlie.post(VOTES, body), 403, "permission_denied")


def test_an_account_changes_its_answer_from_another_device(item, ballot):
    annie, devices = make_annie(), [APIClient(), APIClient()]
    for device in devices:
        device.force_login(annie)
    first = voted(devices[0], ballot(item))
    assert devices[1].post(VOTES, ballot(item, path=["bent"], supersedes=first)).status_code == 201


# All at once --------------------------------------------------------------------------------
def browser_of(volunteer_client):
    """Make a client of its own for a thread, with the same cookies."""
    client = Client()
    client.cookies = volunteer_client.cookies
    return client


def send_all(all_at_once, client, bodies):
    return all_at_once(
        [lambda b=body: browser_of(client).post(VOTES, b, "application/json") for body in bodies]
    )


@pytest.mark.django_db(transaction=True)
def test_one_change_sent_twice_at_once_is_one_change(all_at_once, client, item, ballot):
    first = voted(client, ballot(item))
    body = ballot(item, path=["bent"], supersedes=first)
    answers = send_all(all_at_once, client, [body] * 5)
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
    item.refresh_from_db()
    assert (Vote.objects.count(), item.n_votes) == (2, 1)
    assert Vote.objects.get(superseded_at=None).answer == "bent"


@pytest.mark.django_db(transaction=True)
def test_of_several_changes_at_once_one_counts(all_at_once, client, item, ballot):
    first = voted(client, ballot(item))
    bodies = [ballot(item, path=[key], supersedes=first) for key in ("fri", "bent", "compact")]
    answers = send_all(all_at_once, client, bodies)
    assert [answer.status_code for answer in answers] == [201] * 3
    item.refresh_from_db()
    assert (Vote.objects.count(), item.n_votes) == (4, 1)
    assert Vote.objects.filter(superseded_at=None).count() == 1
    replaced = Vote.objects.exclude(supersedes=None).values_list("supersedes", flat=True)
    assert len(set(replaced)) == 3  # each took the place of another: a chain


@pytest.mark.django_db(transaction=True)
def test_one_uuid_for_changes_of_two_items_at_once_is_one_change(
    all_at_once, client, campaign, ballot
):
    items = campaign.items.filter(kind="prototype")[:3]
    former = {item.pk: voted(client, ballot(item)) for item in items}
    one = str(uuid.uuid4())
    bodies = [
        ballot(item, client_uuid=one, path=["bent"], supersedes=former[item.pk]) for item in items
    ]
    answers = send_all(all_at_once, client, bodies)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    assert Vote.objects.filter(superseded_at=None).count() == 3
    assert Vote.objects.count() == 4
    assert [item.n_votes for item in Item.objects.filter(pk__in=former)] == [1, 1, 1]


# How much it costs --------------------------------------------------------------------------
def test_a_change_takes_a_bounded_number_of_queries(
    client, item, ballot, change, django_assert_max_num_queries
):
    first = voted(client, ballot(item))
    with django_assert_max_num_queries(24):
        assert change(item, first).status_code == 201
