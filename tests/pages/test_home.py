import pytest

from protozoo.voting.models import Campaign
from tests.factories import (
    make_annie,
    make_campaign,
    make_edward,
    make_sorting,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db


def test_home_without_campaigns_tells_what_to_run(client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "No campaign is open yet" in page.content.decode()
    assert "python manage.py demo" in page.content.decode()
    assert "Start now" not in page.content.decode()


def test_home_offers_open_campaigns_to_anybody(client) -> None:
    make_campaign(slug="radio", title="Shapes of radio galaxies")
    text = client.get("/").content.decode()
    assert "Shapes of radio galaxies" in text
    assert 'href="/campaigns/radio/classify/"' in text
    assert "No account needed" in text


def test_home_hides_drafts_and_offers_no_start_for_closed_campaigns(client) -> None:
    make_campaign(slug="later", title="Not yet", state=Campaign.State.DRAFT)
    make_campaign(slug="past", title="Long ago", state=Campaign.State.CLOSED)
    text = client.get("/").content.decode()
    assert "Not yet" not in text
    assert "Long ago" in text
    assert "/campaigns/past/classify/" not in text


def test_home_offers_no_start_where_all_is_settled(client) -> None:
    campaign = make_campaign(slug="radio")
    campaign.items.update(retired_at=campaign.created_at, retired_because="count")
    text = client.get("/").content.decode()
    assert "/campaigns/radio/classify/" not in text
    assert "all settled" in text


def test_home_shows_open_campaigns_before_closed_ones(client) -> None:
    make_campaign(slug="open", title="The older, open one")
    make_campaign(slug="closed", title="The newer, closed one", state=Campaign.State.CLOSED)
    text = client.get("/").content.decode()
    assert text.index("The older, open one") < text.index("The newer, closed one")


def test_home_shows_pictures_of_the_largest_prototypes(client) -> None:
    sorting = make_sorting(rows=1, columns=3, n_subjects=10, n_empty=1)
    make_campaign(sorting=sorting)
    used = sorting.prototypes.filter(n_members__gt=0)
    empty = sorting.prototypes.get(n_members=0)
    text = client.get("/").content.decode()
    assert all(f"/pictures/prototypes/{one.pk}.png" in text for one in used)
    assert f"/pictures/prototypes/{empty.pk}.png" not in text


def test_home_tells_the_progress(client) -> None:
    campaign = make_campaign()
    item = campaign.items.all()[0]
    make_vote(item)
    item.retired_at, item.retired_because = campaign.created_at, "count"
    item.save()
    n_items = campaign.items.count()
    assert f"1 of {n_items}" in client.get("/").content.decode()


def test_home_asks_as_few_queries_for_many_campaigns(client, django_assert_max_num_queries) -> None:
    sorting = make_sorting()
    for _ in range(6):
        make_campaign(sorting=sorting)
    make_campaign()
    with django_assert_max_num_queries(7):
        client.get("/")


def test_home_tells_a_volunteer_what_their_answers_did(
    client, django_assert_max_num_queries
) -> None:
    annie = make_annie()
    campaign = make_campaign(sorting=make_sorting(rows=1, columns=3, n_subjects=30, n_empty=0))
    make_vote(campaign.items.filter(kind="prototype")[0], volunteer=make_volunteer(annie))
    assert "What your answers did so far" not in client.get("/").content.decode()
    client.force_login(annie)
    with django_assert_max_num_queries(11):
        text = client.get("/").content.decode()
    assert "What your answers did so far" in text
    assert "<dt>Pictures they spoke for</dt><dd>10</dd>" in text
    assert "So far 1 answer has spoken for 10 of 30 pictures." in text


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_home_takes_nothing(client, method: str) -> None:
    assert getattr(client, method)("/").status_code == 405


def test_only_who_operates_sees_the_way_to_the_jobs(client) -> None:
    assert 'href="/jobs/"' not in client.get("/").content.decode()
    client.force_login(make_edward())
    assert 'href="/jobs/"' in client.get("/").content.decode()


def test_pages_bring_no_inline_scripts_or_styles(client) -> None:
    make_campaign(slug="radio")
    for path in (
        "/",
        "/campaigns/radio/",
        "/campaigns/radio/classify/",
        "/me/",
        "/accounts/login/",
    ):
        text = client.get(path).content.decode()
        assert " style=" not in text, path
        assert "<style" not in text, path
        assert " onclick=" not in text, path
        assert "<script>" not in text, path
