"""Volunteers read and answer in German in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from protozoo.config.catalogues import Catalogue
from tests.browser.classify_page import PHONE, classify
from tests.factories import make_campaign, make_sorting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign(storage):
    sorting = make_sorting(rows=1, columns=4, n_subjects=12, n_audit=0, n_empty=1, with_pixels=True)
    return make_campaign(sorting=sorting, slug="radio", n_outliers=1)


def english_of_islands() -> set[str]:
    """Give the texts of islands that read otherwise in German."""
    found = set()
    for message in Catalogue("de").read():
        in_islands = any(path.endswith((".ts", ".tsx")) for path, _ in message.locations)
        if in_islands and isinstance(message.id, str) and message.id != message.string:
            found.add(message.id)
    return found


def test_a_german_browser_is_asked_in_german(open_page, campaign) -> None:
    page = classify(open_page, campaign, locale="de-DE", **PHONE)
    assert page.locator("html").get_attribute("lang") == "de"
    expect(page.locator("#question")).to_have_text("Welche Form hat diese Radioquelle?")
    expect(page.locator(".answer").first).to_contain_text("Kompakt")
    page.keyboard.press("?")
    expect(page.get_by_text("Was die Antworten bedeuten")).to_be_visible()
    lines = {line.strip() for line in page.locator("body").inner_text().splitlines()}
    assert lines & english_of_islands() == set()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["viewport"]["width"]


def test_the_language_is_switched_by_keyboard_without_a_script(open_page, campaign) -> None:
    page = open_page("/campaigns/radio/", locale="en-GB", java_script_enabled=False)
    page.get_by_role("button", name="Deutsch").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html[lang=de]")).to_be_attached()
    expect(page).to_have_url(re.compile("/campaigns/radio/$"))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hilf, den Himmel zu sortieren")
    expect(page.get_by_role("button", name="English")).to_be_visible()
