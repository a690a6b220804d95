"""Opens the page on which volunteers answer, and waits for what it has to do."""

from playwright.sync_api import Page, expect

from protozoo.voting.models import Campaign

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def classify(open_page, campaign: Campaign, **settings) -> Page:
    page = open_page(f"/campaigns/{campaign.slug}/classify/", **settings)
    ready(page)
    return page


def ready(page: Page) -> str:
    """Wait until the item counts answers, and tell which question or grid it is."""
    shown = page.locator("[data-ready]")
    expect(shown).to_be_visible()
    return shown.get_attribute("data-ready")


def next_ready(page: Page, before: str) -> str:
    expect(page.locator(f'[data-ready]:not([data-ready="{before}"])')).to_be_visible()
    return ready(page)


def all_taken(page: Page, n_answers: int) -> None:
    """Wait until so many answers are given and none is on its way."""
    counter = page.locator(f'[data-answered="{n_answers}"][data-unsent="0"]')
    expect(counter).to_be_attached()
