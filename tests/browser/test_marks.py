"""Volunteers mark places in pictures; positions arrive in arcsec however a picture is shown."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from protozoo.voting.models import Campaign, Vote
from protozoo.voting.trees import default_tree
from tests.browser.classify_page import all_taken, classify, next_ready, ready
from tests.factories import make_campaign, make_sorting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

N_PIXELS = 16
SCALE_ARCSEC = 1.8


@pytest.fixture
def campaign(storage) -> Campaign:
    sorting = make_sorting(rows=1, columns=3, n_subjects=6, n_audit=0, n_empty=1, with_pixels=True)
    tree = default_tree()
    tree["questions"]["shape"]["answers"][0]["asks_marks"] = True
    return make_campaign(sorting=sorting, slug="radio", n_outliers=0, tree=tree)


def open_marking(page: Page, key: str) -> tuple[float, float, float]:
    """Open the marking of the picture; give the middle of the picture and its width."""
    expect(page.locator(".viewer--large canvas[data-painted=true]")).to_be_visible()
    page.keyboard.press(key)
    expect(page.locator("[data-marking=true]")).to_be_visible()
    box = page.locator(".viewer--large").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def arcsec(length: float, width: float, zoom: float) -> float:
    """Turn CSS pixels into arcsec."""
    return length / (width / N_PIXELS * zoom) * SCALE_ARCSEC


def marks_of_vote() -> dict[str, dict[str, object]]:
    return {mark["role"]: mark for mark in Vote.objects.get().marks}


def test_marks_are_put_by_keyboard_alone(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    before = ready(page)
    _, _, width = open_marking(page, "p")
    for key in ("2", "+", "+", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".marking [role=status]")).to_contain_text("Host, ")
    for key in ("1", "Enter", "Shift+ArrowLeft", "Shift+ArrowDown", "Enter", "0"):
        page.keyboard.press(key)
    expect(page.locator(".marking__list li")).to_have_count(2)
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    expect(page.locator(".marking__list li")).to_have_count(1)
    page.keyboard.press("z")
    page.keyboard.press("p")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.press("3")
    next_ready(page, before)
    all_taken(page, 1)
    marks = marks_of_vote()
    step = arcsec(1, width, 2)
    assert (marks["host"]["x_arcsec"], marks["host"]["y_arcsec"]) == pytest.approx(
        (64 * step, 4 * step), abs=0.01
    )
    box = marks["component"]
    assert (box["width_arcsec"], box["height_arcsec"]) == pytest.approx(
        (32 * step, 32 * step), abs=0.01
    )
    assert (box["x_arcsec"], box["y_arcsec"]) == pytest.approx((48 * step, -12 * step), abs=0.01)


def test_marks_stay_on_their_spot_while_the_picture_is_zoomed_and_turned(
    open_page, campaign: Campaign
) -> None:
    page = classify(open_page, campaign)
    before = ready(page)
    x, y, width = open_marking(page, "1")  # an answer that asks for marks
    page.mouse.move(x - 80, y - 60)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Host").click()
    page.keyboard.press("+")
    page.keyboard.press("+")
    for _ in range(6):
        page.keyboard.press("[")  # a quarter to the left: up is where right was
    page.mouse.click(x + 40, y - 100)
    circle = page.locator(".mark circle").first
    assert float(circle.get_attribute("cx")) == pytest.approx(width / 2 + 40, abs=1)
    page.keyboard.press("0")
    assert float(circle.get_attribute("cx")) == pytest.approx(width / 2 + 50, abs=1)
    assert float(circle.get_attribute("cy")) == pytest.approx(width / 2 + 20, abs=1)
    page.get_by_role("button", name="Done").click()
    next_ready(page, before)
    all_taken(page, 1)
    marks = marks_of_vote()
    near = {"abs": arcsec(1.5, width, 1)}
    host = (marks["host"]["x_arcsec"], marks["host"]["y_arcsec"])
    assert host == pytest.approx((arcsec(50, width, 1), -arcsec(20, width, 1)), **near)
    box = marks["component"]
    assert (box["x_arcsec"], box["y_arcsec"]) == pytest.approx(
        (-arcsec(30, width, 1), arcsec(30, width, 1)), **near
    )
    assert box["width_arcsec"] == pytest.approx(arcsec(100, width, 1), **near)
