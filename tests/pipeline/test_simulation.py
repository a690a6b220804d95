"""Simulated volunteers answer what the queue hands out, are marked as such, and stop in time."""

import pytest

from protozoo.consensus.models import AskingPlan
from protozoo.pipeline.simulation import SimulatedCrowd, campaign_simulate
from protozoo.voting.models import Item, Vote
from tests import factories

pytestmark = pytest.mark.django_db

# So many votes that every item retires before.
MANY = 100.0


@pytest.fixture
def campaign():
    return factories.make_campaign(votes_to_retire=3)


def truth_of(campaign, label="fri"):
    return dict.fromkeys(campaign.sorting.survey.subjects.values_list("pk", flat=True), label)


def test_they_vote_until_every_item_is_retired(campaign):
    crowd = SimulatedCrowd(votes_per_subject=MANY)
    n_new = campaign_simulate(campaign=campaign, truth=truth_of(campaign), crowd=crowd)
    assert n_new == campaign.items.count() * 3 == Vote.objects.count()
    assert not campaign.items.filter(retired_at=None).exists()
    assert not Vote.objects.filter(volunteer__is_simulated=False).exists()


def test_they_stop_at_their_plan_and_a_second_simulation_adds_nothing(campaign):
    crowd = SimulatedCrowd(votes_per_subject=0.5)
    assert campaign_simulate(campaign=campaign, truth=truth_of(campaign), crowd=crowd) == 15
    assert campaign_simulate(campaign=campaign, truth=truth_of(campaign), crowd=crowd) == 0
    assert Vote.objects.count() == 15


def test_an_interrupted_simulation_goes_on_where_it_was(campaign):
    class StopError(Exception):
        pass

    def stop(done, total, message=""):
        if done == 10:
            raise StopError

    crowd = SimulatedCrowd(votes_per_subject=1.0)
    with pytest.raises(StopError):
        campaign_simulate(campaign=campaign, truth=truth_of(campaign), crowd=crowd, report=stop)
    assert campaign_simulate(campaign=campaign, truth=truth_of(campaign), crowd=crowd) == 20
    assert Vote.objects.count() == 30
    assert Vote.objects.values("item", "volunteer").distinct().count() == 30


def test_equal_seeds_ask_and_answer_alike(campaign):
    twin = factories.make_campaign(sorting=campaign.sorting, votes_to_retire=3)
    crowd = SimulatedCrowd(votes_per_subject=0.8)
    for each in (campaign, twin):
        campaign_simulate(campaign=each, truth=truth_of(campaign), crowd=crowd)
    said = [_answers(each) for each in (campaign, twin)]
    assert said[0] == said[1]


def test_skilled_volunteers_mostly_name_the_truth(campaign):
    crowd = SimulatedCrowd(skill=0.95, spammers=0.0, votes_per_subject=MANY)
    campaign_simulate(campaign=campaign, truth=truth_of(campaign, "bent"), crowd=crowd)
    right = Vote.objects.filter(answer="bent").count() / Vote.objects.count()
    assert right > 0.75


def test_a_mixed_prototype_is_called_mixed_and_a_single_subject_never(campaign):
    keys = list(campaign.sorting.survey.subjects.values_list("pk", flat=True))
    prototype = campaign.items.filter(kind=Item.Kind.PROTOTYPE).first()
    members = list(prototype.prototype.members.values_list("subject_id", flat=True))
    mixed = dict.fromkeys(keys, "compact")
    mixed |= dict(zip(members, ["compact", "bent", "fri", "frii", "other"] * 10, strict=False))
    crowd = SimulatedCrowd(skill=0.95, spammers=0.0, votes_per_subject=MANY)
    campaign_simulate(campaign=campaign, truth=mixed, crowd=crowd)
    assert prototype.votes.filter(answer="mixed").count() >= 2
    assert not Vote.objects.exclude(item__kind="prototype").filter(answer="mixed").exists()


def test_merges_in_between_bring_grids_and_subjects_that_are_answered():
    sorting = factories.make_sorting(n_subjects=120, n_audit=6)
    campaign = factories.make_campaign(sorting=sorting)
    AskingPlan.objects.create(campaign=campaign, refit_votes=20)
    keys = campaign.sorting.survey.subjects.values_list("pk", flat=True)
    truth = {key: "frii" if number % 7 else "bent" for number, key in enumerate(keys)}
    crowd = SimulatedCrowd(skill=0.9, votes_per_subject=1.0)
    assert 80 < campaign_simulate(campaign=campaign, truth=truth, crowd=crowd) <= 120
    assert campaign.consensus_runs.count() >= 3
    votes = Vote.objects.filter(item__campaign=campaign)
    assert votes.filter(item__kind="subject").exists()
    sorted_grids = votes.filter(item__kind="grid", answer="sorted")
    assert sorted_grids.count() >= 3
    ticked = [key for vote in sorted_grids for key in vote.ticked]
    shown = [
        member.subject_id
        for vote in sorted_grids.prefetch_related("item__members")
        for member in vote.item.members.all()
    ]
    assert 0 < len(ticked) < len(shown) / 2


def _answers(campaign):
    votes = Vote.objects.filter(item__campaign=campaign).order_by("pk")
    shown = votes.values_list("item__prototype", "item__subject", "answer", "seconds")
    return list(shown)
