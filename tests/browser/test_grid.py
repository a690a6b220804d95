"""Volunteers sort grids of members in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from protozoo.voting.models import Campaign, Vote
from tests.browser.accessibility import violations, violations_in_light_and_dark
from tests.browser.classify_page import PHONE, all_taken, classify, next_ready, ready
from tests.factories import make_campaign, make_grid, make_single, make_sorting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


TWO_FRAMES = "() => new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))"


@pytest.fixture
def campaign(storage) -> Campaign:
    """Two grids of ten members, and nothing else."""
    sorting = make_sorting(rows=1, columns=2, n_subjects=20, n_audit=0, n_empty=0, with_pixels=True)
    campaign = make_campaign(sorting=sorting, slug="radio", n_outliers=0)
    campaign.items.all().delete()
    for prototype in sorting.prototypes.all():
        make_grid(campaign, prototype=prototype)
    return campaign


@pytest.fixture
def gold(campaign: Campaign) -> Campaign:
    """The same, and a subject that experts call FR II, which comes first."""
    make_single(campaign, "gold", label="frii")
    Campaign.objects.update(share_gold=0.999999, share_audit=0, share_chance=0)
    return campaign


def tile(page: Page, place: int):
    return page.locator(".tile").nth(place - 1)


def subjects_shown(page: Page) -> list[int]:
    """Give the subjects in the places of the grid that is shown."""
    item = int(page.locator(".tiles").get_attribute("data-ready"))
    return list(Campaign.objects.get().items.get(pk=item).members.values_list("subject", flat=True))


def said(page: Page, words: str) -> None:
    expect(page.locator(".classify > [role=status]")).to_have_text(words)


def expect_ticked(page: Page, *places: int) -> None:
    pressed = page.locator(".tile[aria-pressed=true]")
    expect(pressed).to_have_count(len(places))
    for place in places:
        expect(tile(page, place)).to_have_attribute("aria-pressed", "true")


def test_grids_are_sorted_by_keyboard_alone(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    first, subjects = ready(page), subjects_shown(page)
    page.keyboard.press("3")
    page.keyboard.press("a")
    expect_ticked(page, 3, 10)
    said(page, "2 ticked")
    page.keyboard.press("Enter")
    next_ready(page, first)
    all_taken(page, 1)
    vote = Vote.objects.get()
    assert (vote.answer, vote.path) == ("sorted", [])
    assert sorted(vote.ticked) == sorted([subjects[2], subjects[9]])
    page.keyboard.press("m")
    expect(page.locator("[data-end=seen_all]")).to_be_visible()
    all_taken(page, 2)
    assert list(Vote.objects.values_list("answer", "ticked"))[1] == ("too_mixed", [])


def test_arrows_know_rows_and_columns_and_space_ticks(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(tile(page, 6)).to_be_focused()
    page.keyboard.press("Space")
    expect_ticked(page, 6)
    for key in ("ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(tile(page, 6)).not_to_be_focused()
    expect(page.locator(".tile:focus")).to_have_attribute("tabindex", "0")
    assert page.locator(".tile[tabindex='0']").count() == 1


def test_enter_on_a_tile_sends_and_on_a_button_is_that_button(open_page, campaign) -> None:
    page = classify(open_page, campaign)
    page.get_by_role("button", name="Help").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.evaluate(TWO_FRAMES)  # keys are heard again when the page has drawn the closed help
    expect_ticked(page)
    first, subjects = ready(page), subjects_shown(page)
    page.keyboard.press("1")
    expect_ticked(page, 1)
    tile(page, 4).focus()
    page.keyboard.press("Enter")
    next_ready(page, first)
    all_taken(page, 1)
    assert Vote.objects.get().ticked == [subjects[0]]


def test_ticks_are_undone_and_cleared(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    for key in ("1", "2", "z"):
        page.keyboard.press(key)
    expect_ticked(page, 1)
    page.keyboard.press("5")
    page.get_by_role("button", name="Clear").click()
    expect_ticked(page)
    said(page, "None ticked")
    page.get_by_role("button", name="Undo").click()
    expect_ticked(page, 1, 5)


def test_the_buttons_say_what_they_send(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    first = ready(page)
    expect(page.get_by_role("heading", name="People call this group FR II.")).to_be_visible()
    tile(page, 2).click()
    expect(page.get_by_role("button", name="Send, 1 does not belong")).to_be_visible()
    tile(page, 2).click()
    page.get_by_role("button", name="All belong").click()
    second = next_ready(page, first)
    expect(page.get_by_role("link", name="All belong")).to_be_visible()
    expect(page.get_by_role("heading", name="People call this group")).to_be_focused()
    page.get_by_role("button", name="Too mixed to say").click()
    all_taken(page, 2)
    assert second != first
    assert list(Vote.objects.values_list("answer", "ticked")) == [("sorted", []), ("too_mixed", [])]


def test_grids_are_sorted_by_touch_on_the_narrowest_phone(open_page, campaign: Campaign) -> None:
    settings = {**PHONE, "viewport": {"width": 360, "height": 640}}
    page = classify(open_page, campaign, **settings)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    tile(page, 10).tap()
    tile(page, 1).tap()
    expect_ticked(page, 1, 10)
    send = page.get_by_role("button", name="Send, 2 do not belong")
    for control in (send, page.get_by_role("button", name="Undo"), tile(page, 1)):
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 44
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator(".group__picture")).to_be_in_viewport(ratio=1)
    expect(send).to_be_in_viewport(ratio=1)
    subjects = subjects_shown(page)
    send.tap()
    all_taken(page, 1)
    assert sorted(Vote.objects.get().ticked) == sorted([subjects[0], subjects[-1]])


def test_what_the_keyboard_leads_to_is_not_hidden_on_a_phone(open_page, campaign) -> None:
    page = classify(open_page, campaign, viewport={"width": 390, "height": 600})
    for _ in range(10):
        page.keyboard.press("ArrowRight")
        focused = page.locator(".tile:focus").bounding_box()
        above = page.locator(".group").bounding_box()
        below = page.locator(".sending").bounding_box()
        assert focused["y"] >= above["y"] + above["height"] - 1
        assert focused["y"] + focused["height"] <= below["y"] + 1


def test_a_sorted_grid_is_kept_without_a_connection_and_sent_once(open_page, campaign) -> None:
    page = classify(open_page, campaign)
    shown, subjects = ready(page), subjects_shown(page)
    page.route("**/api/votes/", lambda route: route.abort())
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    next_ready(page, shown)
    expect(page.get_by_text("No connection just now.")).to_be_visible()
    assert not Vote.objects.exists()
    page.unroute("**/api/votes/")
    page.reload()
    ready(page)
    all_taken(page, 0)
    assert Vote.objects.get().ticked == [subjects[3]]


def test_members_that_do_not_arrive_are_fetched_again(open_page, campaign: Campaign) -> None:
    page = open_page("/")
    addresses = re.compile("/(pixels|pictures)/members/")
    page.route(addresses, lambda route: route.abort())
    page.goto(f"/campaigns/{campaign.slug}/classify/")
    expect(page.get_by_text("This picture did not arrive.")).to_be_visible()
    page.unroute(addresses)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Try again").click()
    ready(page)
    expect(page.get_by_text("This picture did not arrive.")).to_be_hidden()
    all_taken(page, 0)


def test_help_lists_keys_of_which_single_characters_can_be_switched_off(
    open_page, campaign: Campaign
) -> None:
    page = classify(open_page, campaign)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("too mixed to say")).to_be_visible()
    page.get_by_label("Single digits, letters").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    ready(page)
    page.keyboard.press("2")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect_ticked(page, 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("FR II", "Right: experts call this one FR II, too."),
        ("Compact", "Experts call this one FR II. Here is what to look for: Two sides"),
    ],
)
def test_after_a_known_item_it_is_told_what_experts_say(
    open_page, gold: Campaign, answer: str, words: str
) -> None:
    page = classify(open_page, gold)
    page.get_by_role("button", name=answer).click()
    notice = page.get_by_role("complementary", name="About an answer of yours")
    expect(notice).to_contain_text(words)
    expect(page.locator(".classify > [role=status]")).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(notice).to_be_hidden()


def test_grids_can_be_used_by_everyone(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign, color_scheme="light")
    told = {"label": "bent", "label_title": "Bent", "is_right": False}
    page.route("**/api/votes/", lambda route: route.fulfill(status=201, json={"gold": told}))
    shown = ready(page)
    page.keyboard.press("Enter")
    next_ready(page, shown)
    expect(page.get_by_role("complementary", name="About an answer of yours")).to_be_visible()
    page.keyboard.press("3")
    expect_ticked(page, 3)
    assert violations_in_light_and_dark(page) == []
    page.set_viewport_size({"width": 360, "height": 640})
    assert violations(page) == []
