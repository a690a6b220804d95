"""Scientists walk over the map and follow a job in a real browser."""

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from protozoo.jobs.models import Job
from protozoo.sorting.models import Sorting
from tests.factories import (
    make_campaign,
    make_consensus_run,
    make_edward,
    make_job,
    make_sorting,
    make_votes,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sorting(storage) -> Sorting:
    made = make_sorting(
        n_subjects=50,
        with_pixels=True,
        history=[{"epoch": n, "quantization_error": 1 / n} for n in (1, 2, 3)],
    )
    campaign = make_campaign(sorting=made)
    make_votes(campaign)
    make_consensus_run(campaign)
    return made


def log_in(page: Page, user, site: str) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])


def test_arrow_keys_walk_over_the_map_and_enter_opens_a_prototype(open_page, sorting):
    page = open_page(f"/sortings/{sorting.pk}/")
    page.locator(".map-cell").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Home", "ArrowLeft", "End", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("[data-readout]")).to_contain_text("prototype 1, 1")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Prototype 1, 1")


def test_the_map_is_one_stop_of_the_tab_key(open_page, sorting):
    page = open_page(f"/sortings/{sorting.pk}/")
    page.locator(".map-cell").first.focus()
    page.keyboard.press("Tab")
    expect(page.locator("summary")).to_be_focused()


def test_overlays_change_without_a_reload(open_page, sorting):
    page = open_page(f"/sortings/{sorting.pk}/")
    page.evaluate("window.isTheSamePage = true")
    page.get_by_role("link", name="U-matrix").click()
    expect(page.locator("[data-island=map]")).to_have_attribute("data-show", "umatrix")
    expect(page.locator("[data-legend=umatrix]")).to_be_visible()
    expect(page.locator("[data-legend=class]")).to_be_hidden()
    assert page.url.endswith("?show=umatrix")
    assert page.evaluate("window.isTheSamePage")


def test_without_javascript_overlays_are_links(open_page, sorting):
    page = open_page(f"/sortings/{sorting.pk}/", java_script_enabled=False)
    page.get_by_role("link", name="Hits").click()
    expect(page.locator("[data-legend=hits]")).to_be_visible()
    expect(page.locator(".map-layer--hits").first).to_be_visible()


def test_a_jobs_page_follows_the_work_to_its_end(open_page, live_server):
    job = make_job(state="running", progress_done=10, progress_total=100, message="epoch 1")
    page = open_page("/accounts/login/")
    log_in(page, make_edward(), live_server.url)
    page.goto(f"/jobs/{job.pk}/")
    Job.objects.filter(pk=job.pk).update(progress_done=60, message="epoch 2")
    expect(page.locator(".job-bar p")).to_have_text("60 % · 60 of 100 · epoch 2")
    Job.objects.filter(pk=job.pk).update(state="failed", error="The disk is full.")
    expect(page.get_by_text("The disk is full.")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
