"""A real browser on a live site."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Lets a browser know the tutorial of every campaign, as if it had been skipped.
KNOWS_TUTORIALS = """
const read = Storage.prototype.getItem;
Storage.prototype.getItem = function (name) {
  const skipped = name.startsWith("protozoo.tutorial.") ? '{"step":0,"state":"left"}' : null;
  return read.call(this, name) ?? skipped;
};
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        # Playwright's loop runs in this thread, and Django would take its own queries for async.
        before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        # While Playwright's loop runs, Django has a connection apart, which would keep the test
        # database from being dropped.
        connections.close_all()
        opened.close()
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="session")
def static_root(tmp_path_factory) -> Iterator[Path]:
    """Give WhiteNoise an empty folder instead of one that set-up has not made."""
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder):
        yield folder


@pytest.fixture(scope="session")
def live_server(static_root, live_server):
    return live_server


@pytest.fixture
def open_page(browser: Browser, live_server, request):
    """Open a page of the live site in a window of its own; what breaks in it fails the test.

    A newcomer has not seen any tutorial yet.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def opened(path: str, *, is_newcomer: bool = False, **settings) -> Page:
        window = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
        context = browser.new_context(base_url=live_server.url, **{**window, **settings})
        context.set_default_timeout(20_000)
        contexts.append(context)
        if not is_newcomer:
            context.add_init_script(KNOWS_TUTORIALS)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    finish_requests()
    assert problems == []


def finish_requests() -> None:
    """Wait for pictures that are still being drawn: they need the test's database."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=20)
