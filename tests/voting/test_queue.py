"""The queue asks where it is worth most, keeps its shares, and shows no subject twice."""

import random
from collections import Counter

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from protozoo.voting import queue
from protozoo.voting.models import Campaign, Item, Lease, Skip, Vote
from protozoo.voting.queue import EASY_HEAD, N_BEST, QUEUE_HEAD, items_choose
from protozoo.voting.services import LEASE_TIME, items_lease
from protozoo.voting.votes import item_skip
from tests.factories import (
    make_campaign,
    make_grid,
    make_single,
    make_sorting,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db

ONLY = {"share_gold": 0.0, "share_audit": 0.0, "share_chance": 0.0}


@pytest.fixture(autouse=True)
def known_chance():
    """Draw lots that are the same at every run."""
    state = random.getstate()
    random.seed(7)
    yield
    random.setstate(state)


@pytest.fixture(autouse=True)
def nobody_learns(monkeypatch):
    """Let nobody begin with easy items but where a test is about them."""
    monkeypatch.setattr(queue, "N_EASY", 0)


@pytest.fixture
def annie():
    return make_volunteer()


def large_campaign(*, n_outliers=60, n_audit=40, rows=3, columns=4, **fields):
    sorting = make_sorting(rows=rows, columns=columns, n_subjects=160, n_audit=n_audit, n_empty=0)
    shares = {**ONLY, **fields}
    return make_campaign(sorting=sorting, n_outliers=n_outliers, votes_to_retire=50, **shares)


def first_of(campaign, volunteer):
    """Choose an item without handing it out."""
    (key,) = items_choose(
        campaign=campaign, volunteer=volunteer, count=1, exclude=[], now=timezone.now()
    )
    return Item.objects.get(pk=key)


def judge(item, volunteer):
    grid = {"answer": "sorted", "path": [], "ticked": []} if item.kind == "grid" else {}
    return make_vote(item, volunteer=volunteer, **grid)


# Priorities ---------------------------------------------------------------------------------
def test_what_is_worth_most_is_asked_first(annie):
    campaign = large_campaign()
    asked = list(campaign.items.exclude(kind="audit").order_by("pk")[:50])
    for priority, item in enumerate(asked):
        Item.objects.filter(pk=item.pk).update(priority=1 + priority)
    best = {item.pk for item in asked[-N_BEST:]}
    drawn = [first_of(campaign, annie).pk for _ in range(20)]
    assert set(drawn) <= best
    assert len(set(drawn)) > 5


def test_of_the_best_the_more_urgent_comes_more_often(annie):
    campaign = large_campaign()
    urgent, idle = campaign.items.filter(kind="outlier")[:2]
    Item.objects.filter(pk=urgent.pk).update(priority=9.0)
    Item.objects.filter(pk=idle.pk).update(priority=1.0)
    drawn = Counter(first_of(campaign, annie).pk for _ in range(30))
    assert drawn[urgent.pk] + drawn[idle.pk] == 30
    assert 20 <= drawn[urgent.pk] < 30  # of 27 expected


def test_worthless_items_are_drawn_alike(annie):
    campaign = large_campaign()
    Item.objects.filter(campaign=campaign, kind="outlier").update(priority=0.0)
    assert len({first_of(campaign, annie).pk for _ in range(30)}) > 10


def test_without_priorities_it_is_the_random_order_without_the_audit(annie):
    campaign = large_campaign()
    asked = campaign.items.exclude(kind="audit").order_by("order")
    head = set(asked.values_list("pk", flat=True)[:QUEUE_HEAD])
    drawn = {first_of(campaign, annie).pk for _ in range(30)}
    assert drawn <= head
    assert len(drawn) > 10


def test_what_is_asked_for_comes_before_what_is_not(annie):
    campaign = large_campaign()
    only = make_single(campaign, "subject", priority=1e-9)
    got = items_lease(campaign=campaign, volunteer=annie, count=3)
    assert got[0] == only
    assert len(got) == 3


# Lanes --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("share", "kinds"),
    [
        ("share_gold", {"gold"}),
        ("share_audit", {"audit"}),
        ("share_chance", {"prototype", "outlier", "audit"}),
    ],
)
def test_a_share_is_kept(annie, share, kinds):
    campaign = large_campaign(**{share: 0.5})
    for _ in range(5):
        make_single(campaign, "gold", label="frii")
    make_single(campaign, "subject", priority=1.0)
    drawn = Counter(first_of(campaign, annie).kind for _ in range(40))
    assert set(drawn) <= kinds | {"subject"}
    assert 10 <= sum(drawn[kind] for kind in kinds) <= 30  # of 20 expected


def test_chance_reaches_every_open_item_but_gold(annie):
    campaign = large_campaign(share_chance=0.99, n_outliers=4, n_audit=4)
    make_single(campaign, "gold", label="frii")
    campaign.items.filter(kind="prototype").update(retired_at=timezone.now())
    drawn = {first_of(campaign, annie).pk for _ in range(60)}
    others = campaign.items.filter(retired_at=None).exclude(kind="gold")
    assert drawn == set(others.values_list("pk", flat=True))


def test_gold_is_drawn_anew_for_everybody_and_never_retires():
    campaign = large_campaign(share_gold=0.97, votes_cap=2)
    gold = make_single(campaign, "gold", label="frii")
    for _ in range(4):
        annie = make_volunteer()
        assert gold in [first_of(campaign, annie) for _ in range(4)]
        judge(gold, annie)
        assert gold not in [first_of(campaign, annie) for _ in range(4)]


def test_an_empty_lane_falls_through(annie):
    campaign = large_campaign(share_gold=0.5, share_audit=0.49, n_audit=0)
    assert {first_of(campaign, annie).kind for _ in range(20)} <= {"prototype", "outlier"}


def test_the_audit_sample_is_asked_when_all_else_is_done(annie):
    campaign = large_campaign()
    campaign.items.exclude(kind="audit").update(retired_at=timezone.now())
    assert first_of(campaign, annie).kind == "audit"


def test_gold_alone_is_not_asked(annie):
    campaign = large_campaign(share_gold=0.99)
    make_single(campaign, "gold", label="frii")
    campaign.items.exclude(kind="gold").update(retired_at=timezone.now())
    answer = APIClient().post(f"/api/campaigns/{campaign.slug}/next/", {"count": 5})
    assert answer.json() == {"state": "done", "items": [], "notice": None}


# Never a subject twice ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("judged", "offered"),
    [
        ("outlier", "subject"),
        ("subject", "outlier"),
        ("gold", "subject"),
        ("grid", "subject"),
        ("grid", "outlier"),
        ("grid", "gold"),
        ("outlier", "gold"),
    ],
)
def test_a_subject_judged_once_comes_again_only_when_nothing_else_is_left(annie, judged, offered):
    campaign = large_campaign(n_outliers=0, n_audit=0, share_gold=0.4)
    subject = campaign.sorting.prototypes.all()[0].members.all()[0].subject
    first = (
        make_grid(campaign, subjects=[subject.pk])
        if judged == "grid"
        else make_single(campaign, judged, subject, label="frii" if judged == "gold" else "")
    )
    label = "frii" if offered == "gold" else ""
    again = make_single(campaign, offered, subject, label=label, priority=5.0)
    judge(first, annie)
    for _ in range(6):
        assert first_of(campaign, annie) != again
    campaign.items.exclude(pk=again.pk).update(retired_at=timezone.now())
    left = items_lease(campaign=campaign, volunteer=annie)
    assert left == ([] if offered == "gold" else [again])


@pytest.mark.parametrize("judged", ["outlier", "audit", "grid"])
def test_a_grid_with_a_member_judged_before_is_never_offered(annie, judged):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    campaign.items.all().delete()
    members = [each.subject for each in campaign.sorting.prototypes.all()[0].members.all()[:9]]
    grid = make_grid(campaign, subjects=[each.pk for each in members], priority=1.0)
    first = (
        make_grid(campaign, subjects=[members[3].pk])
        if judged == "grid"
        else make_single(campaign, judged, members[3])
    )
    judge(first, annie)
    assert items_lease(campaign=campaign, volunteer=annie) == []
    assert first_of(campaign, make_volunteer()) == grid


def test_another_campaigns_answers_keep_nothing_away(annie):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    subject = campaign.sorting.survey.subjects.all()[0]
    other = make_campaign(sorting=campaign.sorting, n_outliers=0)
    judge(make_single(other, "subject", subject), annie)
    judge(make_grid(other, subjects=[subject.pk]), annie)
    campaign.items.all().delete()
    item = make_single(campaign, "subject", subject)
    assert items_lease(campaign=campaign, volunteer=annie) == [item]


def test_a_batch_and_the_page_never_hold_a_subject_twice(annie):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    campaign.items.all().delete()
    subject = campaign.sorting.prototypes.all()[0].members.all()[0].subject
    same = [
        make_single(campaign, "outlier", subject, priority=2.0),
        make_single(campaign, "subject", subject, priority=3.0),
        make_grid(campaign, subjects=[subject.pk], priority=4.0),
    ]
    (one,) = items_lease(campaign=campaign, volunteer=annie, count=3)
    assert one in same
    held = [one.pk]
    assert items_lease(campaign=campaign, volunteer=annie, count=3, exclude=held) == []


# Diversity ----------------------------------------------------------------------------------
def test_a_batch_holds_no_prototype_twice_if_others_wait(annie):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    prototypes = list(campaign.sorting.prototypes.all())
    members = list(prototypes[0].members.values_list("subject_id", flat=True))
    for subject in members:  # far more urgent than all that follows, and all of one prototype
        for _ in range(5):
            make_grid(campaign, subjects=[subject], priority=100.0)
    assert len(members) * 5 > QUEUE_HEAD
    for prototype in prototypes[1:3]:
        make_grid(campaign, prototype=prototype, priority=1.0)
    got = items_lease(campaign=campaign, volunteer=annie, count=3)
    assert {item.prototype for item in got} == set(prototypes[:3])
    assert {item.kind for item in got} == {"grid"}
    held = [got[0].pk]
    more = items_lease(campaign=campaign, volunteer=annie, count=1, exclude=held)
    assert more[0].prototype_id != got[0].prototype_id


def test_a_prototype_comes_twice_when_there_is_no_other(annie):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    campaign.items.all().delete()
    members = list(
        campaign.sorting.prototypes.all()[0].members.values_list("subject_id", flat=True)
    )
    grids = [make_grid(campaign, subjects=[subject]) for subject in members[:3]]
    got = items_lease(campaign=campaign, volunteer=annie, count=3)
    assert set(got) == set(grids)


# Leases -------------------------------------------------------------------------------------
def test_a_grid_that_others_fill_comes_last(annie):
    campaign = large_campaign(n_outliers=0, n_audit=0, votes_per_grid=2)
    grid = make_grid(campaign, priority=9.0)
    assert first_of(campaign, annie) == grid
    judge(grid, make_volunteer())
    Lease.objects.create(
        item=grid,
        volunteer=make_volunteer(),
        question=campaign.questions.get(),
        expires_at=timezone.now() + LEASE_TIME,
    )
    rest = items_lease(campaign=campaign, volunteer=annie, count=20)
    assert len(rest) == campaign.items.count()
    assert grid in rest
    assert grid not in items_lease(campaign=campaign, volunteer=annie, count=3)


def test_a_volunteer_goes_through_all_kinds_and_sees_no_subject_twice(ballot):
    campaign = large_campaign(n_outliers=6, n_audit=4, share_gold=0.2, share_audit=0.2)
    Campaign.objects.update(share_chance=0.2)
    campaign.refresh_from_db()
    for prototype in campaign.sorting.prototypes.all()[:4]:
        make_grid(campaign, prototype=prototype, priority=2.0)
    for _ in range(4):
        make_single(campaign, "subject", priority=1.0)
        make_single(campaign, "gold", label="frii")
    client, seen = APIClient(), []
    address = f"/api/campaigns/{campaign.slug}/next/"
    while items := client.post(address, {"count": 3}).json()["items"]:
        for shown in items:
            body = ballot(shown["id"])
            if shown["kind"] == "grid":
                body.pop("path")
                body["grid"] = {"verdict": "sorted", "ticked": []}
                seen += [member["subject_id"] for member in shown["members"]]
            elif shown["kind"] != "prototype":
                seen.append(shown["main"]["subject_id"])
            assert client.post("/api/votes/", body).status_code == 201
    assert client.post(address, {}).json()["state"] == "seen_all"
    twice = [subject for subject, n in Counter(seen).items() if n > 1]
    asked_again = campaign.items.filter(subject__in=twice).exclude(kind="gold")
    assert asked_again.count() == len(twice)  # only by items that came when all else was gone
    assert Vote.objects.filter(item__kind="prototype").count() == 12


# The first items ----------------------------------------------------------------------------
@pytest.fixture
def learning(monkeypatch):
    """Let newcomers begin with easy items, as they do."""
    monkeypatch.setattr(queue, "N_EASY", 5)


def purest(campaign, n=EASY_HEAD + 4):
    """Give those prototypes with many members that are alike of which five are drawn."""
    usual = campaign.sorting.n_subjects // campaign.sorting.prototypes.count()
    large = campaign.sorting.prototypes.filter(n_members__gte=usual)
    return set(large.order_by("mean_distance").values_list("pk", flat=True)[:n])


@pytest.mark.usefixtures("learning")
def test_a_newcomer_begins_with_known_sources_and_pure_prototypes(annie):
    campaign = large_campaign(rows=6, columns=6, n_outliers=20, share_chance=0.9)
    for _ in range(8):
        make_single(campaign, "gold", label="frii")
    make_single(campaign, "subject", priority=9.0)
    got = items_lease(campaign=campaign, volunteer=annie, count=12)
    assert len(got) == 12
    assert [item.kind for item in got[:5]] == ["gold"] * 2 + ["prototype"] * 3
    assert {item.prototype_id for item in got[2:5]} <= purest(campaign)
    assert {item.kind for item in got[5:]} - {"gold", "prototype"}


@pytest.mark.usefixtures("learning")
def test_without_known_sources_a_newcomer_begins_with_prototypes(annie):
    campaign = large_campaign(rows=6, columns=6)
    small = campaign.sorting.prototypes.order_by("mean_distance")[0]
    small.n_members = 1
    small.save()
    got = items_lease(campaign=campaign, volunteer=annie, count=5)
    assert {item.prototype_id for item in got} <= purest(campaign) - {small.pk}
    assert len({item.prototype_id for item in got}) == 5


@pytest.mark.usefixtures("learning")
def test_answers_and_what_the_page_holds_count_as_first_items(annie):
    campaign = large_campaign()
    urgent = [make_single(campaign, "subject", priority=9.0) for _ in range(3)]
    for item in campaign.items.filter(kind="audit")[:3]:
        judge(item, annie)
    easy = items_lease(campaign=campaign, volunteer=annie, count=2)
    assert {item.kind for item in easy} == {"prototype"}
    held = [item.pk for item in easy]
    (next_one,) = items_lease(campaign=campaign, volunteer=annie, exclude=held)
    assert next_one in urgent
    for item in easy:
        judge(item, annie)
    assert first_of(campaign, annie) in urgent


@pytest.mark.usefixtures("learning")
def test_answers_elsewhere_teach_nothing_here(annie):
    campaign = large_campaign()
    make_single(campaign, "subject", priority=9.0)
    for item in make_campaign(sorting=campaign.sorting).items.filter(kind="audit")[:5]:
        judge(item, annie)
    assert first_of(campaign, annie).kind == "prototype"


@pytest.mark.usefixtures("learning")
def test_a_newcomer_who_finds_nothing_easy_gets_what_there_is(annie):
    campaign = large_campaign()
    campaign.items.filter(kind="prototype").update(retired_at=timezone.now())
    assert len(items_lease(campaign=campaign, volunteer=annie, count=5)) == 5


@pytest.mark.usefixtures("learning")
def test_simulated_volunteers_have_nothing_to_learn():
    campaign = large_campaign()
    urgent = make_single(campaign, "subject", priority=9.0)
    assert first_of(campaign, make_volunteer(is_simulated=True)) == urgent


# Skipped items ------------------------------------------------------------------------------
def test_a_skipped_item_comes_again_only_when_nothing_else_is_left(annie):
    campaign = large_campaign(n_outliers=3, n_audit=2, share_chance=0.5)
    skipped = make_single(campaign, "subject", priority=9.0)
    again = make_single(campaign, "subject", campaign.items.filter(kind="outlier")[0].subject)
    item_skip(item=skipped, volunteer=annie)
    order = []
    while items := items_lease(campaign=campaign, volunteer=annie):
        order.append(items[0])
        judge(items[0], annie)
    assert len(order) == campaign.items.count()
    twins = {again, campaign.items.get(kind="outlier", subject=again.subject)}
    assert set(order[-2:-1]) <= twins  # a subject judged before comes before a skipped item
    assert order[-1] == skipped


def test_others_are_shown_what_somebody_skips(annie):
    campaign = large_campaign()
    urgent = make_single(campaign, "subject", priority=9.0)
    item_skip(item=urgent, volunteer=annie)
    assert first_of(campaign, annie) != urgent
    assert first_of(campaign, make_volunteer()) == urgent


def test_a_skipped_grid_of_subjects_judged_since_never_comes_again(annie):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    campaign.items.all().delete()
    grid = make_grid(campaign)
    item_skip(item=grid, volunteer=annie)
    assert items_lease(campaign=campaign, volunteer=annie) == [grid]
    judge(make_single(campaign, "outlier", grid.members.all()[0].subject), annie)
    assert items_lease(campaign=campaign, volunteer=annie) == []


def test_a_skipped_source_judged_since_still_comes_last(annie):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    campaign.items.all().delete()
    one = make_single(campaign, "subject")
    item_skip(item=one, volunteer=annie)
    judge(make_single(campaign, "outlier", one.subject), annie)
    for _ in range(2):
        assert items_lease(campaign=campaign, volunteer=annie) == [one]


# What it costs ------------------------------------------------------------------------------
def test_what_was_judged_elsewhere_is_passed_by_once_and_for_all(
    annie, django_assert_max_num_queries
):
    campaign = large_campaign(n_outliers=0, n_audit=0)
    members = campaign.sorting.assignments.filter(subject__is_audit=False)[:140]
    for start in range(0, 140, 14):
        keys = [member.subject_id for member in members[start : start + 14]]
        judge(make_grid(campaign, subjects=keys), annie)
    judged = [make_single(campaign, "subject", each.subject, priority=2.0) for each in members]
    new = make_single(campaign, "subject", priority=1.0)
    assert first_of(campaign, annie) == new
    assert set(Skip.objects.values_list("item", flat=True)) == {item.pk for item in judged}
    with django_assert_max_num_queries(5):
        assert first_of(campaign, annie) == new
    assert first_of(campaign, make_volunteer()) in judged
