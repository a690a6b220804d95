"""Volunteers answer whole campaigns in a real browser: by keys, by touch, without a network."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from protozoo.voting.models import Campaign, Item, Vote
from tests.browser.accessibility import small_targets
from tests.browser.classify_page import PHONE, all_taken, classify, next_ready, ready
from tests.factories import make_campaign, make_grid, make_single, make_sorting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST_ANSWER = "compact"


@pytest.fixture
def campaign(storage) -> Campaign:
    """One item of each kind but doubtful subjects, each settled by one answer."""
    sorting = make_sorting(rows=1, columns=2, n_subjects=16, n_audit=1, n_empty=1, with_pixels=True)
    made = make_campaign(
        sorting=sorting, slug="radio", n_outliers=1, votes_to_retire=1, votes_per_grid=1
    )
    shown = made.items.exclude(subject=None).values("subject")
    free = sorting.survey.subjects.exclude(pk__in=shown)
    make_single(made, "gold", free[0], label="frii")
    make_grid(made, subjects=[one.pk for one in free[1:10]])
    Campaign.objects.update(share_gold=0.6)
    return made


def answer_all(page: Page, answer: Callable[[Page, bool], None]) -> int:
    """Answer one item after the other until the campaign has ended; give how many there were."""
    end, n_answered = page.locator("[data-end]"), 0
    while not end.is_visible():
        shown = ready(page)
        answer(page, page.locator(".tile").count() > 0)
        n_answered += 1
        expect(end.or_(page.locator(f'[data-ready]:not([data-ready="{shown}"])'))).to_be_visible()
    return n_answered


def expect_settled(campaign: Campaign, n_answered: int) -> None:
    """Every answer has arrived once, and nothing but a known subject waits for more."""
    votes = Vote.objects.all()
    assert votes.count() == n_answered
    assert votes.values("item").distinct().count() == n_answered
    assert votes.values("volunteer").distinct().count() == 1
    items = campaign.items.exclude(kind=Item.Kind.GOLD)
    assert not items.filter(retired_at=None).exists()
    assert {item.n_votes for item in items} == {1}
    grid = votes.get(item__kind=Item.Kind.GRID)
    members = list(grid.item.members.values_list("subject", flat=True))
    assert (grid.answer, grid.ticked) == ("sorted", [members[1]])
    trees = votes.exclude(pk=grid.pk)
    assert {(vote.answer, *vote.path) for vote in trees} == {(FIRST_ANSWER, FIRST_ANSWER)}


def test_a_whole_campaign_is_answered_by_keyboard_alone(open_page, campaign: Campaign) -> None:
    page = open_page("/", is_newcomer=True)
    tab_to(page, "Start now")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(page, "Skip the tutorial")
    page.keyboard.press("Enter")

    def by_key(page: Page, is_grid: bool) -> None:
        for key in ("2", "Enter") if is_grid else ("1",):
            page.keyboard.press(key)

    n_answered = answer_all(page, by_key)
    expect(page.locator("[data-end=done]")).to_be_visible()
    all_taken(page, n_answered)
    expect_settled(campaign, n_answered)


def tab_to(page: Page, words: str) -> None:
    """Press the tab key until what bears these words has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip().startswith(words):
            return
    raise AssertionError(f"The tab key does not lead to {words!r}.")


def test_a_whole_campaign_is_answered_by_touch(open_page, campaign: Campaign) -> None:
    page = classify(open_page, campaign, **PHONE)
    small: list[str] = []

    def by_touch(page: Page, is_grid: bool) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        small.extend(small_targets(page, ".classify"))
        if is_grid:
            page.locator(".tile").nth(1).tap()
            page.get_by_role("button", name="Send").tap()
        else:
            for answer in page.locator(".answer").all():
                expect(answer).to_be_in_viewport(ratio=1)
            page.locator(".answer").first.tap()

    n_answered = answer_all(page, by_touch)
    expect(page.locator("[data-end=done]")).to_be_visible()
    all_taken(page, n_answered)
    expect_settled(campaign, n_answered)
    assert sorted(set(small)) == []


def test_ten_answers_without_a_network_arrive_once(open_page, storage) -> None:
    sorting = make_sorting(rows=2, columns=6, n_subjects=48, n_audit=1, n_empty=1, with_pixels=True)
    campaign = make_campaign(sorting=sorting, slug="radio", n_outliers=2)
    page = classify(open_page, campaign)
    page.wait_for_load_state("networkidle")  # what comes next is held with its pixels
    page.context.set_offline(True)
    shown, given = ready(page), []
    for number in range(10):
        given.append(int(shown.split(".")[0]))
        page.keyboard.press(str(1 + number % 3))
        shown = next_ready(page, shown)
    expect(page.locator('[data-answered="10"]')).to_be_attached()
    expect(page.get_by_text("No connection just now.")).to_be_visible()
    assert not Vote.objects.exists()
    page.context.set_offline(False)
    all_taken(page, 10)
    expect(page.get_by_text("No connection just now.")).to_be_hidden()
    votes = list(Vote.objects.order_by("answered_at"))
    assert [vote.item_id for vote in votes] == given
    assert [vote.answer for vote in votes] == [
        ("compact", "fri", "frii")[number % 3] for number in range(10)
    ]
    assert {item.n_votes for item in campaign.items.filter(pk__in=given)} == {1}
    assert len({vote.volunteer_id for vote in votes}) == 1
