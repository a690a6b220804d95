"""Takes a picture of every page of a running demo: wide and light, and of a phone in the dark.

STORAGE_FOLDER=DEMO .venv/bin/python tests/browser/screenshots.py SITE FOLDER [USER PASSWORD]

DEMO is the folder of the demo that is served at SITE, such as http://127.0.0.1:8000. Pages of an
admin and the volunteer's own are full if an admin's name and password are given. The crowd of the
demo settles what it is asked, so one question of each kind is opened again for a while.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "protozoo.config.settings")
django.setup()

from protozoo.voting.models import Item  # noqa: E402  # models need a Django that is set up
from tests.browser.conftest import CHROMIUM, FLAGS, KNOWS_TUTORIALS  # noqa: E402

CAMPAIGN = "/campaigns/demo/"
WIDE = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "dark",
    "has_touch": True,
    "is_mobile": True,
}
LOOKS = {"wide": WIDE, "phone": PHONE}
# Longer pages are cut.
MAX_HEIGHT = {"wide": 1800, "phone": 844}
# What to open from which page: name, page to begin on, link to follow (or none).
SIGNED_OUT = [
    ("login", "/accounts/login/", None),
    ("signup", "/accounts/signup/", None),
]
PAGES = [
    ("home", "/", None),
    ("campaign", CAMPAIGN, None),
    ("guide", f"{CAMPAIGN}guide/", None),
    ("strange", f"{CAMPAIGN}strange/", None),
    ("undecided", f"{CAMPAIGN}undecided/", None),
    ("splits", f"{CAMPAIGN}splits/", None),
    ("credits", f"{CAMPAIGN}credits/", None),
    ("map", "/sortings/1/", None),
    ("outliers", "/sortings/1/outliers/", None),
    ("prototype", "/sortings/1/", "main a[href^='/prototypes/']"),
    ("subject", "/sortings/1/outliers/", "main a[href^='/subjects/']"),
    ("releases", "/releases/", None),
    ("release", "/releases/", "main li a[href^='/releases/'], main h3 a[href^='/releases/']"),
    ("me", "/me/", None),
    ("favourites", "/me/favourites/", None),
    ("thanks", "/me/thanks/", None),
    ("leave", "/me/leave/", None),
    ("jobs", "/jobs/", None),
    ("job", "/jobs/", "main tbody a[href^='/jobs/']"),
    ("missing", "/no/such/page/", None),
    ("api-docs", "/api/docs/", None),
]
# Kinds of items, by the names of their pictures.
QUESTIONS = {
    "classify": Item.Kind.PROTOTYPE,
    "grid": Item.Kind.GRID,
    "outlier": Item.Kind.OUTLIER,
}
# For the README: name, and the picture of which it is a copy.
COPIES = {"grid": "grid-wide", "outlier": "outlier-wide", "phone": "outlier-phone"}


@contextmanager
def reopened() -> Iterator[dict[str, int]]:
    """Open one question of each kind, and settle it again."""
    kept = {}
    for name, kind in QUESTIONS.items():
        # The last one has the most interesting shape more often than the first, which is a dot.
        found = Item.objects.filter(kind=kind, campaign__slug="demo").order_by("pk").last()
        if found is not None:
            kept[name] = found
    states = {item.pk: (item.retired_at, item.retired_because) for item in kept.values()}
    Item.objects.filter(pk__in=states).update(retired_at=None, retired_because="")
    try:
        yield {name: item.pk for name, item in kept.items()}
    finally:
        for pk, (at, because) in states.items():
            Item.objects.filter(pk=pk).update(retired_at=at, retired_because=because)


def contexts(browser: Browser, site: str) -> Iterator[tuple[str, BrowserContext]]:
    for look, settings in LOOKS.items():
        context = browser.new_context(base_url=site, locale="en-US", **settings)
        context.add_init_script(KNOWS_TUTORIALS)
        yield look, context
        context.close()


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    page.locator("form[action*=login] button[type=submit], main button[type=submit]").first.click()
    page.wait_for_load_state("networkidle")


def keep(page: Page, name: str, look: str, folder: Path) -> None:
    """Take a picture of the page as it is, cut where it is too long."""
    width = page.viewport_size["width"]
    height = page.evaluate("document.documentElement.scrollHeight")
    cut = {"x": 0, "y": 0, "width": width, "height": min(height, MAX_HEIGHT[look])}
    page.screenshot(path=folder / f"{name}-{look}.png", full_page=True, clip=cut)
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if overflow > 0:
        print(f"{name} {look}: {overflow} pixels too wide")


def take(page: Page, wanted: list[tuple[str, str, str | None]], look: str, folder: Path) -> None:
    for name, path, link in wanted:
        page.goto(path)
        if link:
            page.goto(page.locator(link).first.get_attribute("href") or path)
        page.wait_for_load_state("networkidle")
        keep(page, name, look, folder)


def take_questions(page: Page, items: dict[str, int], look: str, folder: Path) -> None:
    for name, item in items.items():
        page.goto(f"/items/{item}/")
        page.locator("[data-ready]").wait_for()
        page.wait_for_load_state("networkidle")
        keep(page, name, look, folder)


def like_one(page: Page) -> None:
    """Keep a favourite and give an answer, that the pages on one's own answers have something."""
    page.goto(f"{CAMPAIGN}classify/")
    page.locator("[data-ready]").wait_for()
    page.keyboard.press("h")
    page.locator("button[aria-keyshortcuts=h][aria-pressed=true]").wait_for()
    page.keyboard.press("Enter" if page.locator(".tile").count() else "1")
    page.locator('[data-answered="1"][data-unsent="0"]').wait_for(state="attached")


def main() -> None:
    site, folder = sys.argv[1], Path(sys.argv[2])
    account = sys.argv[3:5]
    folder.mkdir(parents=True, exist_ok=True)
    with reopened() as items, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for look, context in contexts(browser, site):
            page = context.new_page()
            take(page, SIGNED_OUT, look, folder)
            take_questions(page, items, look, folder)
            if account:
                sign_in(page, *account)
                like_one(page)
            take(page, PAGES, look, folder)
        browser.close()
    for name, original in COPIES.items():
        (folder / f"{name}.png").write_bytes((folder / f"{original}.png").read_bytes())


if __name__ == "__main__":
    main()
