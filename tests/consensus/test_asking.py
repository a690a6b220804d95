"""After a merge the queue holds what is worth asking, and not what is settled."""

import pytest
from django.db import IntegrityError, transaction

from protozoo.consensus.asking import seconds_of
from protozoo.consensus.ballots import Ballots, Effort
from protozoo.consensus.models import AskingPlan
from protozoo.consensus.services import consensus_run
from protozoo.voting.models import Item
from protozoo.voting.services import items_lease
from skysort.consensus.next_question import USUAL_SECONDS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    sorting = factories.make_sorting(n_subjects=120, n_audit=6)
    return factories.make_campaign(sorting=sorting, votes_to_retire=20)


def vote(item, answer, n):
    for _ in range(n):
        factories.make_vote(item=item, answer=answer)


def prototypes(campaign):
    return list(campaign.items.filter(kind=Item.Kind.PROTOTYPE).order_by("pk"))


def asked(campaign, *kinds):
    return campaign.items.filter(kind__in=kinds, retired_at=None, priority__gt=0)


def test_grids_and_doubtful_subjects_are_asked_with_their_gain(campaign):
    for number, item in enumerate(prototypes(campaign)):
        vote(item, "frii" if number % 2 else "compact", 2)
    consensus_run(campaign=campaign)
    grids = list(asked(campaign, "grid").prefetch_related("members"))
    assert grids
    assert asked(campaign, "subject").exists()
    for grid in grids:
        members = [member.subject_id for member in grid.members.all()]
        assert 9 <= len(members) <= 16
        places = campaign.sorting.assignments.filter(subject__in=members)
        assert set(places.values_list("prototype_id", flat=True)) == {grid.prototype_id}
        assert not places.filter(subject__is_audit=True).exists()
        assert grid.label in {"frii", "compact"}
    queue = items_lease(campaign=campaign, volunteer=factories.make_volunteer(), count=5)
    assert {item.kind for item in queue} & {"grid", "subject", "prototype"}


def test_prototypes_get_priorities_and_the_unknown_one_comes_first(campaign):
    unknown, *others = prototypes(campaign)
    for item in others:
        vote(item, "frii", 4)
    consensus_run(campaign=campaign)
    still_open = campaign.items.filter(kind="prototype", retired_at=None).order_by("-priority")
    assert still_open[0] == unknown
    assert still_open[0].priority > 0


def test_what_is_sure_retires_by_posterior_after_two_votes_at_least(campaign):
    sure, lone, *_ = prototypes(campaign)
    for item in prototypes(campaign)[2:]:
        vote(item, "bent", 6)
    vote(sure, "bent", 8)
    vote(lone, "bent", 1)
    consensus_run(campaign=campaign)
    sure.refresh_from_db()
    lone.refresh_from_db()
    assert sure.retired_because == Item.Retirement.POSTERIOR
    assert lone.retired_at is None


def test_audit_and_gold_items_never_retire_by_what_the_merge_believes(campaign):
    gold = factories.make_single(campaign, "gold", label="bent")
    for item in campaign.items.all():
        vote(item, "bent", 6)
    consensus_run(campaign=campaign)
    aside = campaign.items.filter(kind__in=["gold", "audit"])
    assert gold in aside
    assert not aside.filter(retired_at__isnull=False).exists()
    assert not aside.filter(priority__isnull=False).exists()


def test_a_plan_bounds_the_questions(campaign):
    AskingPlan.objects.create(campaign=campaign, n_questions=4)
    for item in prototypes(campaign):
        vote(item, "frii", 2)
    consensus_run(campaign=campaign)
    assert asked(campaign, "grid", "subject").count() == 4


def test_what_brings_too_little_is_asked_no_more(campaign):
    AskingPlan.objects.create(campaign=campaign, least_gain=1e9)
    for item in prototypes(campaign):
        vote(item, "frii", 2)
    consensus_run(campaign=campaign)
    assert not campaign.items.filter(kind__in=["grid", "subject"]).exists()
    ends = set(campaign.items.filter(kind="prototype").values_list("retired_because", flat=True))
    assert ends <= {Item.Retirement.GAIN, Item.Retirement.POSTERIOR}


def test_grids_that_better_ones_replace_retire_and_others_keep_their_votes(campaign):
    for item in prototypes(campaign):
        vote(item, "frii", 2)
    stale = factories.make_grid(campaign, label="artefact")
    consensus_run(campaign=campaign)
    stale.refresh_from_db()
    assert stale.retired_because == Item.Retirement.GAIN


def test_a_closed_campaign_is_merged_but_asks_nothing(campaign):
    vote(prototypes(campaign)[0], "frii", 3)
    campaign.state = "closed"
    campaign.save()
    consensus_run(campaign=campaign)
    assert not campaign.items.filter(priority__isnull=False).exists()


def test_times_are_those_of_the_volunteers_once_there_are_enough():
    def ballots(**effort):
        nothing = dict.fromkeys(["votes", "items", "item_kinds", "volunteers", "last_vote_id"])
        return Ballots(**nothing, effort=effort)

    few = seconds_of(ballots(prototype=Effort(19, 190.0, 10.0)))
    assert few == dict(USUAL_SECONDS)
    many = seconds_of(
        ballots(
            prototype=Effort(100, 900.0, 9.0),
            audit=Effort(10, 30.0, 3.0),
            outlier=Effort(30, 210.0, 7.0),
            grid=Effort(50, 10.0, 0.2),
        )
    )
    assert many == {"prototype": 9.0, "grid": 1.0, "subject": 6.0}


@pytest.mark.parametrize("wrong", [{"sure": 0.5}, {"sure": 1.0}, {"refit_votes": 0}])
def test_a_plan_that_makes_no_sense_is_refused_by_the_database(campaign, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        AskingPlan.objects.create(campaign=campaign, **wrong)
