"""Votes of an anonymous volunteer move to the account, and none counts twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from protozoo.voting.models import Item, Lease, Vote
from protozoo.voting.selectors import votes_of
from protozoo.voting.services import LEASE_TIME, items_lease
from protozoo.voting.votes import votes_move
from tests.factories import make_annie, make_campaign, make_volunteer, make_vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_campaign(votes_to_retire=2)


@pytest.fixture
def annie():
    return make_volunteer(make_annie())


@pytest.fixture
def anonymous():
    return make_volunteer()


def received(vote, minutes):
    Vote.objects.filter(pk=vote.pk).update(received_at=timezone.now() + timedelta(minutes=minutes))


def test_all_votes_move(campaign, annie, anonymous):
    items = campaign.items.all()[:3]
    for item in items:
        make_vote(item, volunteer=anonymous)
    assert votes_move(giver=anonymous, taker=annie) == 3
    assert not anonymous.votes.exists()
    assert {vote.item for vote in votes_of(annie)} == set(items)
    assert set(Item.objects.filter(pk__in=items).values_list("n_votes", flat=True)) == {1}


@pytest.mark.parametrize("first", ["anonymous", "annie"])
def test_the_earlier_of_two_answers_counts(campaign, annie, anonymous, first):
    item = campaign.items.all()[0]
    before = make_vote(item, volunteer=anonymous, answer="bent")
    account = make_vote(item, volunteer=annie, answer="frii")
    received(before, 0 if first == "anonymous" else 5)
    received(account, 5 if first == "anonymous" else 0)

    votes_move(giver=anonymous, taker=annie)

    counting = Vote.objects.get(superseded_at=None)
    assert counting.answer == ("bent" if first == "anonymous" else "frii")
    assert Vote.objects.filter(volunteer=annie).count() == 2
    assert [vote.pk for vote in votes_of(annie)] == [counting.pk]
    item.refresh_from_db()
    assert item.n_votes == 1


def test_an_item_with_too_few_votes_goes_back_into_the_queue(campaign, annie, anonymous):
    item = campaign.items.all()[0]
    make_vote(item, volunteer=anonymous)
    make_vote(item, volunteer=annie)
    Item.objects.filter(pk=item.pk).update(retired_at=timezone.now(), retired_because="count")
    votes_move(giver=anonymous, taker=annie)
    item.refresh_from_db()
    assert (item.n_votes, item.retired_at, item.retired_because) == (1, None, "")
    assert item not in items_lease(campaign=campaign, volunteer=annie, count=50)


def test_an_item_with_votes_to_spare_stays_retired(campaign, annie, anonymous):
    item = campaign.items.all()[0]
    for volunteer in (anonymous, annie, make_volunteer()):
        make_vote(item, volunteer=volunteer)
    Item.objects.filter(pk=item.pk).update(retired_at=timezone.now(), retired_because="count")
    votes_move(giver=anonymous, taker=annie)
    item.refresh_from_db()
    assert item.n_votes == 2
    assert item.retired_at is not None


def test_moving_twice_changes_nothing(campaign, annie, anonymous):
    item = campaign.items.all()[0]
    make_vote(item, volunteer=anonymous)
    make_vote(item, volunteer=annie)
    votes_move(giver=anonymous, taker=annie)
    assert votes_move(giver=anonymous, taker=annie) == 0
    item.refresh_from_db()
    assert item.n_votes == 1


def test_moving_to_oneself_changes_nothing(campaign, annie):
    make_vote(campaign.items.all()[0], volunteer=annie)
    assert votes_move(giver=annie, taker=annie) == 0
    assert votes_of(annie).count() == 1


def test_votes_superseded_before_move_along(campaign, annie, anonymous):
    item = campaign.items.all()[0]
    make_vote(item, volunteer=anonymous, superseded_at=timezone.now())
    make_vote(item, volunteer=annie)
    assert votes_move(giver=anonymous, taker=annie) == 1
    item.refresh_from_db()
    assert item.n_votes == 1


def test_what_the_page_holds_moves_along(campaign, annie, anonymous):
    held, shared = campaign.items.all()[:2]
    question = campaign.questions.get()
    for volunteer, item in ((anonymous, held), (anonymous, shared), (annie, shared)):
        Lease.objects.create(
            item=item,
            volunteer=volunteer,
            question=question,
            expires_at=timezone.now() + LEASE_TIME,
        )
    votes_move(giver=anonymous, taker=annie)
    assert set(annie.leases.values_list("item", flat=True)) == {held.pk, shared.pk}
    assert not anonymous.leases.exists()


def test_many_votes_move_in_few_queries(campaign, annie, anonymous, django_assert_max_num_queries):
    for item in campaign.items.all():
        make_vote(item, volunteer=anonymous)
    with django_assert_max_num_queries(12):
        votes_move(giver=anonymous, taker=annie)


@pytest.mark.django_db(transaction=True)
def test_moving_at_once_counts_each_answer_once(all_at_once):
    campaign = make_campaign(votes_to_retire=2)
    anonymous, annie = make_volunteer(), make_volunteer()
    for item in campaign.items.all():
        make_vote(item, volunteer=anonymous)
        make_vote(item, volunteer=annie)
    moved = all_at_once([lambda: votes_move(giver=anonymous, taker=annie) for _ in range(4)])
    assert sorted(moved) == [0, 0, 0, campaign.items.count()]
    assert set(campaign.items.values_list("n_votes", flat=True)) == {1}
