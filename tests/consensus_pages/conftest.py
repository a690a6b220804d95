"""A map with a campaign, votes and a run: what the scientist's pages show."""

from types import SimpleNamespace

import pytest

from tests.factories import make_campaign, make_consensus_run, make_sorting, make_votes


@pytest.fixture
def zoo(db) -> SimpleNamespace:
    sorting = make_sorting(n_subjects=40)
    campaign = make_campaign(sorting=sorting)
    make_votes(campaign)
    run = make_consensus_run(campaign)
    return SimpleNamespace(sorting=sorting, campaign=campaign, run=run)
