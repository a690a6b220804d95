"""Newcomers learn by keyboard: a tutorial that can be left and resumed, and the field guide."""

import pytest
from playwright.sync_api import expect

from protozoo.voting.models import Campaign, Vote
from tests.browser.accessibility import violations_in_light_and_dark
from tests.browser.classify_page import ready
from tests.factories import make_campaign, make_sorting, make_vote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "/campaigns/radio/classify/"


@pytest.fixture
def campaign(storage) -> Campaign:
    """Two groups, which people have called FR II and Compact."""
    sorting = make_sorting(rows=1, columns=2, n_subjects=16, n_audit=0, n_empty=0, with_pixels=True)
    campaign = make_campaign(sorting=sorting, slug="radio", n_outliers=1)
    groups = campaign.items.filter(kind="prototype")
    for group, answer in zip(groups, ("frii", "compact"), strict=True):
        for _ in range(2):
            make_vote(group, answer=answer)
    return campaign


def test_the_tutorial_is_tried_left_and_resumed_by_keyboard(open_page, campaign) -> None:
    page = open_page(ADDRESS, is_newcomer=True)
    title = page.locator("#tutorial-title")
    expect(title).to_be_focused()
    for _ in range(2):
        page.get_by_role("button", name="Next").press("Enter")
    expect(title).to_have_text("Say what you see")
    page.keyboard.press("3")
    expect(page.get_by_text("Yes, others see FR II here, too.")).to_be_visible()
    assert violations_in_light_and_dark(page) == []
    page.reload()
    expect(title).to_have_text("Say what you see")
    page.keyboard.press("Escape")
    expect(title).to_be_hidden()
    page.reload()
    ready(page)
    expect(title).to_be_hidden()
    page.keyboard.press("?")
    page.get_by_role("button", name="Show me the tutorial").press("Enter")
    expect(title).to_have_text("Say what you see")
    page.get_by_role("button", name="Next").press("Enter")
    odd = page.locator(".practice__tile")
    expect(odd).to_have_count(6)
    for _ in range(2):
        page.get_by_role("button", name="Next").press("Enter")
    page.get_by_role("button", name="Begin").press("Enter")
    expect(title).to_be_hidden()
    ready(page)
    # Nothing that was tried has been sent.
    assert Vote.objects.count() == 4


def test_the_field_guide_opens_beside_the_question_and_closes_by_keyboard(
    open_page, campaign
) -> None:
    page = open_page(ADDRESS)
    ready(page)
    page.keyboard.press("j")
    guide = page.get_by_role("complementary", name="Field guide")
    expect(guide.get_by_role("heading", name="Field guide")).to_be_focused()
    expect(guide.get_by_text("edge-brightened")).to_be_visible()
    expect(guide.locator("[data-entry=frii] img")).to_have_count(3)
    assert violations_in_light_and_dark(page) == []
    question, panel = page.locator("#question").bounding_box(), guide.bounding_box()
    assert question["x"] + question["width"] <= panel["x"]
    page.keyboard.press("Escape")
    expect(guide).to_be_hidden()
    opener = page.get_by_role("button", name="Field guide")
    expect(opener).to_be_focused()
    page.keyboard.press("Space")
    expect(guide).to_be_visible()
    page.keyboard.press("j")
    expect(guide).to_be_hidden()
