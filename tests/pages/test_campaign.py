import pytest

from protozoo.voting.models import Campaign
from tests.factories import make_campaign, make_sorting, make_volunteer, make_vote

pytestmark = pytest.mark.django_db


def test_campaign_tells_what_it_is_for_and_what_can_be_answered(client) -> None:
    make_campaign(slug="radio", title="Shapes", introduction="Jets are fed by black holes.")
    text = client.get("/campaigns/radio/").content.decode()
    assert "Jets are fed by black holes." in text
    for label in ("Compact", "FR I", "FR II", "Bent", "Mixed group", "Cannot tell"):
        assert f">{label}</span>" in text
    assert "badge--class-8" in text


def test_campaign_says_how_many_pictures_the_answers_speak_for(client) -> None:
    sorting = make_sorting(rows=1, columns=3, n_subjects=30, n_audit=0, n_empty=0)
    campaign = make_campaign(sorting=sorting, slug="radio")
    item = campaign.items.filter(kind="prototype")[0]
    make_vote(item)
    make_vote(item)
    text = client.get("/campaigns/radio/").content.decode()
    assert "2 answers have spoken for 10 of 30 pictures: 0.2 for each." in text
    assert "Asking the same of every picture alone would have taken 30." in text
    assert "simulated" not in text


def test_campaign_labels_simulated_answers(client) -> None:
    campaign = make_campaign(slug="radio")
    make_vote(campaign.items.all()[0], volunteer=make_volunteer(is_simulated=True))
    text = client.get("/campaigns/radio/").content.decode()
    assert "1 of these answers was made by a simulated volunteer" in text


def test_a_closed_campaign_offers_no_start(client) -> None:
    make_campaign(slug="radio", state=Campaign.State.CLOSED)
    text = client.get("/campaigns/radio/").content.decode()
    assert "/campaigns/radio/classify/" not in text
    assert "closed" in text


@pytest.mark.parametrize("page", ["", "classify/"])
def test_drafts_and_strangers_are_not_found(client, page: str) -> None:
    make_campaign(slug="later", state=Campaign.State.DRAFT)
    assert client.get(f"/campaigns/later/{page}").status_code == 404
    missing = client.get(f"/campaigns/nowhere/{page}")
    assert missing.status_code == 404
    assert "There is nothing at this address" in missing.content.decode()


def test_campaign_asks_few_queries(client, django_assert_max_num_queries) -> None:
    make_campaign(slug="radio")
    with django_assert_max_num_queries(10):
        client.get("/campaigns/radio/")
