"""Volunteers change their mind, say more, and lose nothing, in a real browser."""

import pytest
from playwright.sync_api import expect

from protozoo.voting.models import Campaign, Favourite, Skip, Vote
from tests.browser.classify_page import all_taken, classify, next_ready, ready
from tests.factories import make_campaign, make_sorting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign(storage) -> Campaign:
    """Three prototypes and one outlier: four questions."""
    sorting = make_sorting(rows=1, columns=4, n_subjects=12, n_audit=0, n_empty=1, with_pixels=True)
    return make_campaign(sorting=sorting, slug="radio", n_outliers=1, suggested_tags=["ring"])


def test_the_last_answer_is_changed_by_keyboard(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    first = ready(page)
    page.keyboard.press("1")
    second = next_ready(page, first)
    page.keyboard.press("u")
    again = next_ready(page, second)
    expect(page.locator(".standing__changing")).to_contain_text("You said: Compact.")
    expect(page.locator(".answer--chosen")).to_contain_text("Compact")
    page.keyboard.press("Escape")
    assert next_ready(page, again) == second
    page.keyboard.press("u")
    next_ready(page, second)
    page.keyboard.press("3")
    assert next_ready(page, again) == second
    expect(page.locator(".standing__last")).to_contain_text("FR II")
    all_taken(page, 1)
    old, new = Vote.objects.order_by("pk")
    assert (old.answer, new.answer, new.supersedes) == ("compact", "frii", old)
    assert old.superseded_at is not None
    assert new.superseded_at is None


def test_skips_favourites_and_remarks_arrive(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    first = ready(page)
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("k")
    second = next_ready(page, first)
    page.keyboard.press("t")
    page.get_by_role("button", name="ring", exact=True).click()
    page.get_by_label("Add a tag of your own").fill("X-shaped")
    page.get_by_label("This is something strange").check()
    page.get_by_label("In your words").fill("1 of a kind")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Say more")).to_be_hidden()
    expect(page.get_by_role("button", name="Say more")).to_be_focused()
    page.keyboard.press("1")
    next_ready(page, second)
    all_taken(page, 1)
    vote = Vote.objects.get()
    assert (vote.tags, vote.is_strange) == (["ring", "x-shaped"], True)
    assert vote.comment == "1 of a kind"
    assert Favourite.objects.get().item == Skip.objects.get().item != vote.item


def test_what_a_closed_tab_has_left_is_sent_from_home(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    shown = ready(page)
    page.route("**/api/**", lambda route: route.abort())
    for key in ("1", "u", "3"):
        page.keyboard.press(key)
        shown = next_ready(page, shown)
    page.keyboard.press("2")
    next_ready(page, shown)
    expect(page.get_by_text("3 answers are kept here")).to_be_visible()
    context = page.context
    page.close()
    assert not Vote.objects.exists()
    home = context.new_page()
    home.goto("/")
    expect(home.get_by_text("3 answers that waited in this browser have arrived.")).to_be_visible()
    counting = Vote.objects.filter(superseded_at=None).order_by("pk")
    assert list(counting.values_list("answer", flat=True)) == ["frii", "fri"]
    assert Vote.objects.count() == 3
