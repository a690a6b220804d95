"""Volunteers look at real pixels in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from protozoo.voting.models import Campaign
from tests.browser.classify_page import all_taken, classify
from tests.factories import make_campaign, make_grid, make_sorting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Of a canvas: how many different colors it has, and all of them in place.
N_COLORS = """canvas => new Set(new Uint32Array(
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
COLORS = "canvas => canvas.toDataURL()"


@pytest.fixture
def campaign(storage) -> Campaign:
    """One prototype with its members, to be asked about."""
    sorting = make_sorting(rows=1, columns=1, n_subjects=12, n_audit=0, n_empty=0, with_pixels=True)
    return make_campaign(sorting=sorting, slug="radio", n_outliers=0)


@pytest.fixture
def grid(campaign: Campaign) -> Campaign:
    campaign.items.all().delete()
    make_grid(campaign, prototype=campaign.sorting.prototypes.get())
    return campaign


def colors(page: Page, canvas: str = ".stage__main canvas") -> str:
    expect(page.locator(canvas).first).to_have_attribute("data-painted", "true")
    return page.locator(canvas).first.evaluate(COLORS)


def test_pixels_are_painted_and_change_by_keys_and_buttons_alone(
    open_page, campaign: Campaign
) -> None:
    page = classify(open_page, campaign)
    large = page.locator(".stage__main").get_by_role("img", name="12 members")
    expect(large).to_be_visible()
    expect(page.locator(".stage canvas")).to_have_count(10)
    seen = [colors(page)]
    assert page.locator(".stage__main canvas").evaluate(N_COLORS) > 50
    for key in ("s", "i", "+", "[", "Shift+ArrowRight"):
        page.keyboard.press(key)
        seen.append(colors(page))
    assert len(set(seen)) == len(seen)
    page.keyboard.press("0")
    page.keyboard.press("v")
    page.get_by_label("Value drawn white").fill("0.1")
    page.get_by_label("Value drawn white").press("Enter")
    expect(page.get_by_role("slider", name="White above")).not_to_have_value("0")
    page.get_by_role("button", name="Reset all").click()
    assert colors(page) == seen[0]
    all_taken(page, 0)


def test_a_choice_is_for_all_tiles_of_a_grid_and_is_remembered(open_page, grid: Campaign) -> None:
    page = classify(open_page, grid)
    usual = colors(page, ".tile canvas")
    page.get_by_role("button", name="View").click()
    opened = Axe().run(page)
    assert opened.violations_count == 0, opened.generate_report()
    page.get_by_role("button", name="ember", exact=True).click()
    page.get_by_role("button", name="Larger").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="View")).to_be_focused()
    assert colors(page, ".tile canvas") != usual
    page.reload()
    chosen = colors(page, ".tile canvas")
    assert chosen != usual
    page.keyboard.press("v")
    expect(page.get_by_role("button", name="ember", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
