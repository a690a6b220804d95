"""The factories make what the models allow."""

import pytest

from protozoo.voting.models import Vote
from tests.factories import (
    make_campaign,
    make_consensus_run,
    make_release,
    make_sorting,
    make_vote,
    make_votes,
)

pytestmark = pytest.mark.django_db


def test_a_release_stands_on_a_whole_campaign():
    campaign = make_campaign()
    make_votes(campaign, n_volunteers=2)
    release = make_release(make_consensus_run(campaign))

    kinds = set(campaign.items.values_list("kind", flat=True))
    assert kinds == {"prototype", "outlier", "audit"}
    assert release.entries.count() == 30
    assert Vote.objects.count() == 2 * campaign.items.count()


def test_a_vote_is_counted():
    vote = make_vote()
    assert vote.item.n_votes == 1


def test_one_prototype_stays_empty():
    sorting = make_sorting(rows=2, columns=2, n_subjects=9)
    members = list(sorting.prototypes.values_list("n_members", flat=True))
    assert members == [3, 3, 3, 0]
    assert sum(members) == sorting.assignments.count()
