"""What volunteers call strange is listed for those who can tell what it is."""

import pytest
from django.test import Client
from django.utils import timezone

from protozoo.voting.models import Campaign
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "/campaigns/radio/strange/"


@pytest.fixture
def campaign():
    return factories.make_campaign(slug="radio")


@pytest.fixture
def scientist():
    client = Client()
    client.force_login(factories.make_williamina())
    return client


def strange(item, **fields):
    said = {"is_strange": True, "tags": ["ring"], "comment": "What is <this>?\nA ring?"}
    return factories.make_vote(item, **{**said, **fields})


def text_of(client, page=PAGE):
    answer = client.get(page)
    assert answer.status_code == 200
    return answer.content.decode()


def test_nothing_is_strange_at_first(client, campaign):
    assert "Nobody has called anything strange so far." in text_of(client)


def test_scientists_read_what_was_said_the_newest_first(scientist, campaign):
    prototype = campaign.items.filter(kind="prototype").first()
    subject = campaign.items.filter(kind="outlier").first()
    strange(prototype)
    strange(subject, answer="bent", tags=[], comment="")
    factories.make_vote(campaign.items.filter(kind="audit").first(), tags=["dull"])
    text = text_of(scientist)
    first, second = f"/subjects/{subject.subject_id}/", f"/prototypes/{prototype.prototype_id}/"
    assert text.index(first) < text.index(second)
    assert "What is &lt;this&gt;?<br>A ring?" in text
    assert ">ring</p>" in text
    assert "dull" not in text


def test_strangers_see_what_but_not_what_was_written(client, campaign):
    item = campaign.items.filter(kind="outlier").first()
    strange(item)
    for browser in (client, Client()):
        text = text_of(browser)
        assert f"/subjects/{item.subject_id}/" in text
        assert "A ring?" not in text
        assert ">ring</p>" not in text
    client.force_login(factories.make_annie())
    assert "A ring?" not in text_of(client)


def test_a_grid_is_listed_with_its_prototype_and_ticks(scientist, campaign):
    grid = factories.make_grid(campaign, label="frii")
    ticked = [grid.members.all()[0].subject_id]
    strange(grid, answer="sorted", path=[], ticked=ticked)
    text = text_of(scientist)
    assert f"/prototypes/{grid.prototype_id}/" in text
    assert f"FR II: 1 of {grid.members.count()} ticked" in text


def test_a_changed_vote_and_other_campaigns_are_left_out(scientist, campaign):
    strange(campaign.items.first(), superseded_at=timezone.now())
    strange(factories.make_campaign(sorting=campaign.sorting).items.first())
    assert "Nobody has called anything strange so far." in text_of(scientist)


def test_many_are_paged_in_few_queries(scientist, campaign, django_assert_max_num_queries):
    item = campaign.items.filter(kind="outlier").first()
    for _ in range(51):
        strange(item)
    strange(factories.make_grid(campaign), answer="sorted", path=[], ticked=[])
    with django_assert_max_num_queries(16):
        text = text_of(scientist)
    assert text.count("A ring?") == 50
    assert text_of(scientist, f"{PAGE}?page=2").count("A ring?") == 2


def test_the_campaign_leads_there_and_a_draft_does_not(client, campaign):
    assert PAGE in text_of(client, "/campaigns/radio/")
    Campaign.objects.update(state=Campaign.State.DRAFT)
    assert client.get(PAGE).status_code == 404
    assert client.get("/campaigns/nowhere/strange/").status_code == 404


def test_a_subject_shows_scientists_what_was_written(client, scientist, campaign):
    item = campaign.items.filter(kind="outlier").first()
    strange(item)
    page = f"/subjects/{item.subject_id}/"
    assert "A ring?" in text_of(scientist, page)
    said_to_all = text_of(client, page)
    assert "Called strange" in said_to_all
    assert "A ring?" not in said_to_all
