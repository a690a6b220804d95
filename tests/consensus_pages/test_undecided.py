"""What people do not agree on goes to review."""

import pytest
from django.utils import timezone

from protozoo.consensus.services import consensus_run
from protozoo.voting.models import Item
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return factories.make_campaign(slug="radio")


def retire(item) -> None:
    item.retired_at, item.retired_because = timezone.now(), Item.Retirement.CAP
    item.save()


def page(client) -> str:
    answer = client.get("/campaigns/radio/undecided/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_nothing_waits_at_first(client, campaign):
    assert "People agree on everything so far." in page(client)


def test_prototypes_and_subjects_are_listed_with_their_answers(client, campaign):
    prototype = campaign.items.filter(kind="prototype").first()
    subject = campaign.items.exclude(subject=None).first()
    for item in (prototype, subject):
        factories.make_vote(item)
        retire(item)
    text = page(client)
    assert f"/prototypes/{prototype.prototype_id}/" in text
    assert f"/subjects/{subject.subject_id}/" in text
    assert text.count("waits") == 2
    assert " 1</td>" in text


def test_what_a_scientist_decided_comes_last(client, campaign):
    first, second = campaign.items.exclude(subject=None)[:2]
    retire(first)
    retire(second)
    factories.make_review(first.subject, campaign=campaign, reviewer=factories.make_williamina())
    text = page(client)
    assert text.index(f"/subjects/{second.subject_id}/") < text.index(
        f"/subjects/{first.subject_id}/"
    )
    assert text.count("<td>decided</td>") == 1


def test_the_campaign_tells_of_them(client, campaign):
    item = campaign.items.filter(kind="prototype").first()
    factories.make_vote(item)
    consensus_run(campaign=campaign)
    retire(item)
    told = client.get("/campaigns/radio/").content.decode()
    assert '<a href="/campaigns/radio/undecided/">1 picture</a> people do not agree' in told


def test_an_unknown_campaign_is_not_found(client):
    assert client.get("/campaigns/nowhere/undecided/").status_code == 404
