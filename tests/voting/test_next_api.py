"""A volunteer always gets an unseen item next, until there is none left."""

import random
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from protozoo.accounts.models import Volunteer
from protozoo.voting import queue
from protozoo.voting.models import Campaign, Item, Lease, Vote
from protozoo.voting.queue import QUEUE_HEAD
from protozoo.voting.services import LEASE_TIME, items_lease
from protozoo.voting.votes import votes_move
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_sorting,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_campaign(votes_to_retire=3)


@pytest.fixture
def client():
    return APIClient()


# No lot decides which lane an item comes from.
ONLY_THE_BEST = {"share_gold": 0, "share_audit": 0, "share_chance": 0}


def ask(client, campaign, **body):
    return client.post(f"/api/campaigns/{campaign.slug}/next/", body)


# Campaigns ----------------------------------------------------------------------------------
def test_anybody_reads_the_campaigns(client, campaign):
    make_vote(campaign.items.all()[0])
    shown = client.get("/api/campaigns/").json()["results"]
    assert [each["slug"] for each in shown] == [campaign.slug]
    one = client.get(f"/api/campaigns/{campaign.slug}/").json()
    assert one == shown[0]
    assert one["question"]["version"] == 1
    assert one["question"]["tree"]["root"] == "shape"
    assert one["progress"] == {
        "n_items": campaign.items.count(),
        "n_retired": 0,
        "n_votes": 1,
        "n_volunteers": 1,
        "n_subjects": 30,
    }


def test_a_draft_is_nobodys_business(client):
    draft = make_campaign(state=Campaign.State.DRAFT)
    assert client.get("/api/campaigns/").json()["results"] == []
    assert client.get(f"/api/campaigns/{draft.slug}/").status_code == 404
    assert ask(client, draft).status_code == 404


def test_many_campaigns_take_few_queries(client, django_assert_max_num_queries):
    sorting = make_sorting()
    for _ in range(5):
        make_vote(make_campaign(sorting=sorting).items.all()[0])
    with django_assert_max_num_queries(5):
        assert client.get("/api/campaigns/").json()["count"] == 5


# Who asks -----------------------------------------------------------------------------------
def test_a_newcomer_becomes_a_volunteer_with_a_cookie(client, campaign):
    answer = ask(client, campaign)
    assert answer.status_code == 200
    assert answer.json()["state"] == "items"
    cookie = answer.cookies[settings.VOLUNTEER_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert Volunteer.objects.get().user is None


def test_the_cookie_is_known_again(client, campaign):
    for _ in range(3):
        ask(client, campaign)
    assert Volunteer.objects.count() == 1


def test_a_forged_cookie_makes_a_newcomer(client, campaign):
    known = make_volunteer()
    client.cookies[settings.VOLUNTEER_COOKIE_NAME] = f"{known.token}:forged"
    ask(client, campaign)
    assert not known.leases.exists()
    assert Volunteer.objects.count() == 2


def test_an_account_needs_no_cookie(client, campaign):
    annie = make_annie()
    client.force_login(annie)
    answer = ask(client, campaign)
    assert settings.VOLUNTEER_COOKIE_NAME not in answer.cookies
    assert Volunteer.objects.get().user == annie


def test_an_account_that_may_not_classify_gets_nothing(client, campaign):
    client.force_login(make_charlie())
    answer = ask(client, campaign)
    assert answer.status_code == 403
    assert not Volunteer.objects.exists()


# What is handed out -------------------------------------------------------------------------
def prototype_of(n_members):
    sorting = make_sorting(rows=1, columns=2, n_subjects=n_members, n_audit=0, n_empty=1)
    return make_campaign(sorting=sorting, n_outliers=0)


def test_a_prototype_comes_with_its_nearest_and_its_farthest_members(client):
    campaign = prototype_of(25)
    (item,) = ask(client, campaign).json()["items"]
    prototype = campaign.sorting.prototypes.get(column=0)
    assert item["kind"] == "prototype"
    assert item["description"] == item["main"]["alt"] == "Prototype 0, 0: 25 members"
    assert item["context"] == {"row": 0, "column": 0, "n_members": 25}
    assert item["page_url"] == f"/prototypes/{prototype.pk}/"
    assert item["share_url"] == f"/items/{item['id']}/"
    assert item["main"]["url"].startswith(f"/pictures/prototypes/{prototype.pk}.png?")
    assert item["main"]["rank"] is None
    ranked = list(prototype.members.order_by("distance").values_list("subject", flat=True))
    shown = [member["subject_id"] for member in item["members"]]
    assert shown == [*ranked[:6], *ranked[-3:]]
    assert [member["rank"] for member in item["members"]] == ["nearest"] * 6 + ["farthest"] * 3
    first, last = item["members"][0]["alt"], item["members"][-1]["alt"]
    assert first.startswith("Member 1 of 9: S")
    assert first.endswith(", among the most alike")
    assert last.endswith(", among the least alike")


@pytest.mark.parametrize(("n_members", "n_farthest"), [(1, 0), (6, 0), (7, 1), (8, 2), (9, 3)])
def test_a_small_prototype_shows_each_of_its_members_once(client, n_members, n_farthest):
    campaign = prototype_of(n_members)
    (item,) = ask(client, campaign).json()["items"]
    members = campaign.sorting.assignments.order_by("distance").values_list("subject", flat=True)
    assert [member["subject_id"] for member in item["members"]] == list(members)
    assert [member["rank"] for member in item["members"]].count("farthest") == n_farthest


def test_members_at_the_same_distance_are_shown_once_each(client):
    campaign = prototype_of(12)
    campaign.sorting.assignments.update(distance=0.5)
    (item,) = ask(client, campaign).json()["items"]
    assert len({member["subject_id"] for member in item["members"]}) == 9


def test_a_source_comes_alone(client, campaign):
    campaign.items.exclude(kind="outlier").delete()
    item = ask(client, campaign).json()["items"][0]
    subject = Item.objects.get(pk=item["id"]).subject
    assert item["members"] == []
    assert item["title"] == subject.identifier
    assert item["main"]["subject_id"] == subject.pk
    assert item["page_url"] == f"/subjects/{subject.pk}/"


def test_the_page_gets_as_many_as_it_asks_for(client, campaign):
    first = [item["id"] for item in ask(client, campaign, count=4).json()["items"]]
    assert len(set(first)) == 4
    more = [item["id"] for item in ask(client, campaign, count=4, exclude=first).json()["items"]]
    assert not set(first) & set(more)


@pytest.mark.parametrize(
    "body",
    [
        {"count": 0},
        {"count": 13},
        {"count": "all"},
        {"exclude": "1,2"},
        {"exclude": [0]},
        {"exclude": [2**63]},
        {"exclude": list(range(1, 1002))},
    ],
)
def test_a_wrong_wish_is_refused(client, campaign, body):
    answer = ask(client, campaign, **body)
    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) == set(body)
    assert not Volunteer.objects.exists()


def test_an_unknown_campaign_is_not_found(client):
    assert client.post("/api/campaigns/nowhere/next/", {}).status_code == 404


def test_items_are_held_for_ten_minutes(campaign):
    annie = make_volunteer()
    before = timezone.now()
    (item,) = items_lease(campaign=campaign, volunteer=annie)
    lease = Lease.objects.get()
    assert (lease.item, lease.volunteer, lease.question.version) == (item, annie, 1)
    assert before + LEASE_TIME <= lease.expires_at <= timezone.now() + LEASE_TIME


def test_an_item_that_others_fill_comes_last(campaign):
    item = campaign.items.all()[0]
    campaign.items.exclude(pk__in=campaign.items.all()[:2]).delete()
    for _ in range(2):
        make_vote(item)
    holder = make_volunteer()
    question = campaign.questions.get()
    Lease.objects.create(
        item=item, volunteer=holder, question=question, expires_at=timezone.now() + LEASE_TIME
    )
    got = items_lease(campaign=campaign, volunteer=make_volunteer(), count=2)
    assert [each == item for each in got] == [False, True]


def test_an_expired_lease_keeps_nobody_away(campaign):
    for held in items_lease(campaign=campaign, volunteer=make_volunteer(), count=50):
        make_vote(held)
        make_vote(held)
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    full = campaign.items.all()[0]
    for other in campaign.items.exclude(pk=full.pk):
        make_vote(other)
    (got,) = items_lease(campaign=campaign, volunteer=make_volunteer())
    assert got == full


def test_a_reload_gives_no_second_lease(campaign):
    annie = make_volunteer()
    for _ in range(3):
        items_lease(campaign=campaign, volunteer=annie, count=50)
    assert annie.leases.count() == campaign.items.count()


def test_retired_items_are_not_handed_out(campaign):
    kept = campaign.items.all()[3]
    campaign.items.exclude(pk=kept.pk).update(retired_at=timezone.now())
    assert items_lease(campaign=campaign, volunteer=make_volunteer(), count=10) == [kept]


def test_newcomers_are_spread_over_the_queue(monkeypatch):
    monkeypatch.setattr(queue, "N_EASY", 0)
    campaign = make_campaign(
        sorting=make_sorting(rows=8, columns=10, n_subjects=200, n_audit=40),
        votes_to_retire=500,
        **ONLY_THE_BEST,
    )
    first = {items_lease(campaign=campaign, volunteer=make_volunteer())[0].pk for _ in range(60)}
    asked = campaign.items.exclude(kind="audit").order_by("order")
    head = set(asked.values_list("pk", flat=True)[:QUEUE_HEAD])
    assert first <= head
    assert len(first) > 20  # of 40; fewer happens less than once in 10**6 goes


# How it ends --------------------------------------------------------------------------------
def test_a_closed_campaign_says_so(client, campaign):
    Campaign.objects.update(state=Campaign.State.CLOSED)
    assert ask(client, campaign).json() == {"state": "closed", "items": [], "notice": None}


def test_a_campaign_without_open_items_is_done(client, campaign):
    campaign.items.update(retired_at=timezone.now())
    assert ask(client, campaign).json() == {"state": "done", "items": [], "notice": None}


def test_a_volunteer_goes_through_a_whole_campaign_and_sees_nothing_twice(client, campaign, ballot):
    chance = random.Random(1)
    seen, held = [], []
    while True:
        answer = ask(client, campaign, count=3, exclude=[item["id"] for item in held]).json()
        held += answer["items"]
        if not held:
            break
        item = held.pop(chance.randrange(len(held)))
        seen.append(item["id"])
        assert client.post("/api/votes/", ballot(item["id"])).status_code == 201
    assert answer == {"state": "seen_all", "items": [], "notice": None}
    assert len(seen) == len(set(seen)) == campaign.items.count() == Vote.objects.count()


def test_many_volunteers_finish_a_campaign(campaign, ballot):
    chance = random.Random(2)
    clients = [APIClient() for _ in range(5)]
    while clients:
        client = chance.choice(clients)
        answer = ask(client, campaign, count=2).json()
        if answer["state"] != "items":
            clients.remove(client)
        for item in answer["items"]:
            taken = client.post("/api/votes/", ballot(item["id"]))
            assert taken.status_code == 201, taken.content
    assert ask(APIClient(), campaign).json()["state"] == "done"
    votes = list(campaign.items.values_list("n_votes", flat=True))
    assert votes == [3] * len(votes)
    assert Vote.objects.count() == sum(votes)


@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["ask", "vote", "move"]), st.integers(0, 2)),
        max_size=25,
    )
)
def test_whatever_happens_counts_stay_true(steps):
    """Three volunteers ask, vote and turn out to be one another in any order."""
    from protozoo.voting.votes import vote_record

    campaign = make_campaign(
        sorting=make_sorting(rows=1, columns=2, n_subjects=5, n_audit=1), votes_to_retire=2
    )
    volunteers = [make_volunteer() for _ in range(3)]
    for who, deed, other in steps:
        volunteer = volunteers[who]
        if deed == "move":
            votes_move(giver=volunteers[other], taker=volunteer)
            continue
        for item in items_lease(campaign=campaign, volunteer=volunteer, count=1 + other):
            assert not item.votes.filter(volunteer=volunteer).exists()
            assert item.retired_at is None
            if deed == "vote":
                vote_record(
                    volunteer=volunteer,
                    item_id=item.pk,
                    question_version=1,
                    path=["compact"],
                    client_uuid=uuid.uuid4(),
                    seconds=1.0,
                    answered_at=timezone.now(),
                )
    for item in campaign.items.all():
        assert item.n_votes == item.votes.filter(superseded_at=None).count()
        assert (item.retired_at is not None) == (item.n_votes >= 2)


# How much it costs --------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 10])
def test_next_takes_a_bounded_number_of_queries(
    client, campaign, count, django_assert_max_num_queries
):
    ask(client, campaign)
    with django_assert_max_num_queries(28):  # if every lane is empty but the last
        ask(client, campaign, count=count)


@pytest.mark.django_db(transaction=True)
def test_volunteers_who_come_at_once_all_get_items(all_at_once, campaign):
    volunteers = [make_volunteer() for _ in range(8)]
    handed = all_at_once(
        [
            lambda v=volunteer: [
                item.pk for item in items_lease(campaign=campaign, volunteer=v, count=5)
            ]
            for volunteer in volunteers
        ]
    )
    assert [len(set(items)) for items in handed] == [5] * 8
    assert Lease.objects.count() == 40
