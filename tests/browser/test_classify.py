"""Volunteers answer a whole small campaign in a real browser."""

import pytest
from playwright.sync_api import Route, expect

from protozoo.accounts.models import User
from protozoo.voting.models import Campaign, Vote
from tests.browser.accessibility import violations_in_light_and_dark
from tests.browser.classify_page import all_taken, classify, next_ready, ready
from tests.factories import make_campaign, make_roles, make_sorting, make_volunteer, make_vote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NESTED = {
    "root": "shape",
    "questions": {
        "shape": {
            "text": "What is its shape?",
            "answers": [
                {"key": "compact", "label": "Compact", "means": "class", "next": None},
                {"key": "double", "label": "Two sides", "next": "ends"},
            ],
        },
        "ends": {
            "text": "Where is it brightest?",
            "answers": [
                {"key": "fri", "label": "In the middle", "means": "class", "next": None},
                {"key": "frii", "label": "At the ends", "means": "class", "next": None},
            ],
        },
    },
}


@pytest.fixture
def campaign(storage) -> Campaign:
    """Three prototypes, one outlier and no audit: four questions."""
    sorting = make_sorting(rows=1, columns=4, n_subjects=12, n_audit=0, n_empty=1, with_pixels=True)
    return make_campaign(sorting=sorting, slug="radio", n_outliers=1, votes_to_retire=2)


def test_a_campaign_is_answered_by_keyboard_alone(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    shown = ready(page)
    for key in ("1", "3", "4"):
        page.keyboard.press(key)
        shown = next_ready(page, shown)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".answer").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-end=seen_all]")).to_be_visible()
    all_taken(page, 4)
    assert Vote.objects.count() == 4
    assert Vote.objects.values("item").distinct().count() == 4
    assert sorted(Vote.objects.values_list("answer", flat=True)) == [
        "bent",
        "compact",
        "fri",
        "frii",
    ]
    assert Vote.objects.values("volunteer").distinct().count() == 1


def test_help_opens_and_closes_by_key_and_blocks_answers(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    all_taken(page, 0)
    assert not Vote.objects.exists()


def test_a_nested_question_is_asked_and_can_be_left_again(open_page, campaign: Campaign) -> None:
    campaign.questions.update(tree=NESTED)
    page = classify(open_page, campaign)
    first = ready(page)
    page.keyboard.press("2")
    second = next_ready(page, first)
    expect(page.get_by_role("heading", name="Where is it brightest?")).to_be_visible()
    page.keyboard.press("Backspace")
    assert next_ready(page, second) == first
    page.get_by_role("button", name="Two sides").click()
    next_ready(page, first)
    page.get_by_role("button", name="At the ends").click()
    all_taken(page, 1)
    assert Vote.objects.get().path == ["double", "frii"]


def test_a_double_click_is_one_vote(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    shown = ready(page)
    page.get_by_role("button", name="Compact").dblclick()
    next_ready(page, shown)
    all_taken(page, 1)
    assert Vote.objects.count() == 1


def test_answers_without_a_connection_are_kept_over_a_reload(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    shown = ready(page)
    page.route("**/api/votes/", lambda route: route.abort())
    page.keyboard.press("1")
    next_ready(page, shown)
    expect(page.get_by_text("No connection just now.")).to_be_visible()
    assert not Vote.objects.exists()
    page.unroute("**/api/votes/")
    page.reload()
    ready(page)
    all_taken(page, 0)
    assert Vote.objects.get().answer == "compact"


def test_a_lost_reply_does_not_make_a_second_vote(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    shown = ready(page)
    times = []

    def lose_first_reply(route: Route) -> None:
        times.append(1)
        if len(times) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/votes/", lose_first_reply)
    page.keyboard.press("1")
    next_ready(page, shown)
    all_taken(page, 1)
    assert len(times) == 2
    assert Vote.objects.count() == 1


def test_an_item_that_others_settled_is_told_kindly(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    shown = ready(page)
    refusal = {"error": {"code": "item_retired", "message": "Enough votes.", "fields": {}}}
    page.route("**/api/votes/", lambda route: route.fulfill(status=409, json=refusal))
    page.keyboard.press("1")
    next_ready(page, shown)
    expect(page.get_by_text("Others had already settled your last one.")).to_be_visible()
    all_taken(page, 0)


def test_a_browser_without_cookies_is_asked_for_them(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    refusal = {"error": {"code": "volunteer_unknown", "message": "Who are you?", "fields": {}}}
    page.route("**/api/votes/", lambda route: route.fulfill(status=403, json=refusal))
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Please allow cookies")).to_be_visible()
    page.unroute("**/api/votes/")
    page.get_by_role("button", name="Try again").click()
    ready(page)
    all_taken(page, 0)
    assert Vote.objects.count() == 1


def test_a_browser_that_lost_its_cookie_goes_on_as_a_guest(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign)
    page.context.clear_cookies(name="volunteer")
    page.keyboard.press("1")
    all_taken(page, 1)
    assert Vote.objects.get().answer == "compact"


def test_without_javascript_the_page_says_so(open_page, campaign: Campaign) -> None:
    page = open_page(f"/campaigns/{campaign.slug}/classify/", java_script_enabled=False)
    expect(page.get_by_role("heading", name="This page needs JavaScript")).to_be_visible()
    expect(page.get_by_text("Fetching the first pictures")).to_be_hidden()


def test_a_browser_that_forbids_its_storage_still_answers(open_page, campaign: Campaign) -> None:
    page = open_page("/")
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage',"
        " {get() { throw new DOMException('denied', 'SecurityError') }})"
    )
    page.goto(f"/campaigns/{campaign.slug}/classify/")
    ready(page)
    page.keyboard.press("1")
    all_taken(page, 1)
    assert Vote.objects.get().answer == "compact"


def test_without_a_connection_nothing_claims_to_be_fetched(open_page, campaign: Campaign) -> None:
    page = open_page("/")
    page.route("**/api/campaigns/**", lambda route: route.abort())
    page.goto(f"/campaigns/{campaign.slug}/classify/")
    expect(page.get_by_text("No connection just now.")).to_be_visible()
    expect(page.get_by_text("Fetching the next pictures")).to_be_hidden()


def test_pictures_and_answers_stand_side_by_side_on_a_phone_lying_down(
    open_page, campaign: Campaign
) -> None:
    page = classify(open_page, campaign, viewport={"width": 844, "height": 390})
    picture = page.locator(".stage__main").bounding_box()
    answers = page.locator(".answers").bounding_box()
    assert answers["x"] >= picture["x"] + picture["width"]
    expect(page.locator(".stage__main")).to_be_in_viewport(ratio=0.5)


def test_help_closes_beside_its_title_on_a_phone(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="Help").click()
    title = page.get_by_role("heading", name="What the answers mean").bounding_box()
    close = page.get_by_role("button", name="Close").bounding_box()
    assert close["x"] >= title["x"] + title["width"]
    assert close["x"] + close["width"] <= 390


def test_the_help_can_be_used_by_everyone(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign, color_scheme="light")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations_in_light_and_dark(page) == []


def test_the_choice_of_light_or_dark_stays(open_page, campaign: Campaign) -> None:
    page = open_page("/", color_scheme="light")
    page.get_by_role("button", name="Dark colors").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Dark colors")).to_have_attribute("aria-pressed", "true")


def test_a_long_name_and_many_answers_fit_the_narrowest_phone(
    open_page, campaign: Campaign
) -> None:
    make_roles()
    name = "w" * 150
    page = open_page("/accounts/signup/", viewport={"width": 360, "height": 640})
    page.fill("[name=username]", name)
    page.fill("[name=password1]", "the-draper-plates")
    page.fill("[name=password2]", "the-draper-plates")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text(f"Welcome, {name}.")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    make_vote(campaign.items.first(), volunteer=make_volunteer(User.objects.get()))
    page.goto("/me/")
    badge = page.locator(".own-answers .badge")
    assert badge.bounding_box()["x"] + badge.bounding_box()["width"] <= 360
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
