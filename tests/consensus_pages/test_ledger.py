"""A campaign's page tells what its answers have brought."""

import pytest

from protozoo.consensus.models import SplitProposal
from protozoo.consensus.services import consensus_run
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return factories.make_campaign(slug="radio")


def page(client) -> str:
    answer = client.get("/campaigns/radio/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_the_first_merge_there_is_nothing_to_tell(client, campaign):
    assert "What the answers have brought" not in page(client)


def test_a_merge_without_random_checks_knows_no_accuracy(client, campaign):
    factories.make_vote(campaign.items.filter(kind="prototype").first())
    consensus_run(campaign=campaign)
    text = page(client)
    assert "What the answers have brought" in text
    assert "will be known when more random checks are answered" in text
    assert "Right labels" not in text


def test_answers_seconds_and_right_labels_are_told(client, campaign):
    factories.make_votes(campaign, n_volunteers=5, seed=3)
    consensus_run(campaign=campaign)
    text = page(client)
    assert "Right labels are judged by 4 random checks" in text
    assert '<th scope="row">Random checks</th><td class="number">20</td>' in text
    assert "People have looked at 23\N{NARROW NO-BREAK SPACE}% of the pictures" in text
    assert "Are the probabilities honest?" in text
    assert "What more answers bring" not in text
    factories.make_vote(campaign.items.first())
    consensus_run(campaign=campaign)
    assert "What more answers bring" in page(client)


def test_impure_prototypes_are_told(client, campaign):
    factories.make_vote(campaign.items.filter(kind="prototype").first())
    consensus_run(campaign=campaign)
    prototype = campaign.sorting.prototypes.first()
    SplitProposal.objects.create(
        campaign=campaign, prototype=prototype, purity=0.4, probability_mixed=0.7
    )
    assert '<a href="/campaigns/radio/splits/">1 prototype</a> seems to hold' in page(client)
