"""Simulated volunteers vote like people, are marked as such, and never vote twice."""

import pytest

from protozoo.pipeline.simulation import SimulatedCrowd, campaign_simulate
from protozoo.voting.models import Item, Vote
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return factories.make_campaign(votes_to_retire=3)


def truth_of(campaign, label="fri"):
    return dict.fromkeys(campaign.sorting.survey.subjects.values_list("pk", flat=True), label)


def test_they_vote_until_every_item_is_retired(campaign):
    n_new = campaign_simulate(campaign=campaign, truth=truth_of(campaign))
    assert n_new == campaign.items.count() * 3 == Vote.objects.count()
    assert not campaign.items.filter(retired_at=None).exists()
    assert not Vote.objects.filter(volunteer__is_simulated=False).exists()


def test_a_second_simulation_adds_nothing(campaign):
    campaign_simulate(campaign=campaign, truth=truth_of(campaign))
    assert campaign_simulate(campaign=campaign, truth=truth_of(campaign)) == 0
    assert Vote.objects.count() == campaign.items.count() * 3


def test_an_interrupted_simulation_goes_on_where_it_was(campaign):
    class StopError(Exception):
        pass

    def stop(done, total, message=""):
        if done == 2:
            raise StopError

    with pytest.raises(StopError):
        campaign_simulate(campaign=campaign, truth=truth_of(campaign), report=stop)
    campaign_simulate(campaign=campaign, truth=truth_of(campaign))
    for item in campaign.items.all():
        assert item.votes.count() == 3
        assert item.votes.values("volunteer").distinct().count() == 3


def test_skilled_volunteers_mostly_name_the_truth(campaign):
    crowd = SimulatedCrowd(skill=0.95, spammers=0.0)
    campaign_simulate(campaign=campaign, truth=truth_of(campaign, "bent"), crowd=crowd)
    right = Vote.objects.filter(answer="bent").count() / Vote.objects.count()
    assert right > 0.75


def test_a_mixed_prototype_is_called_mixed_and_a_single_subject_never(campaign):
    keys = list(campaign.sorting.survey.subjects.values_list("pk", flat=True))
    prototype = campaign.items.filter(kind=Item.Kind.PROTOTYPE).first()
    members = list(prototype.prototype.members.values_list("subject_id", flat=True))
    mixed = dict.fromkeys(keys, "compact")
    mixed |= dict(zip(members, ["compact", "bent", "fri", "frii", "other"] * 10, strict=False))
    campaign_simulate(
        campaign=campaign, truth=mixed, crowd=SimulatedCrowd(skill=0.95, spammers=0.0)
    )
    assert prototype.votes.filter(answer="mixed").count() >= 2
    assert not Vote.objects.exclude(item__kind="prototype").filter(answer="mixed").exists()


def test_what_is_left_open_waits_for_two_people(campaign):
    crowd = SimulatedCrowd(leave_open=0.5)
    campaign_simulate(campaign=campaign, truth=truth_of(campaign), crowd=crowd)
    counts = [item.votes.count() for item in campaign.items.all()]
    assert set(counts) == {1, 3}
    assert campaign_simulate(campaign=campaign, truth=truth_of(campaign), crowd=crowd) == 0
