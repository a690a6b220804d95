"""Takes a picture of every page of a running demo, wide and narrow, light and dark.

.venv/bin/python tests/browser/screenshots.py http://127.0.0.1:8000 FOLDER [USER PASSWORD]

Pages of an admin are shown if an admin's name and password are given.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
# What to open from which page: name, page to begin on, link to follow (or none).
SIGNED_OUT = [
    ("login", "/accounts/login/", None),
    ("signup", "/accounts/signup/", None),
]
PAGES = [
    ("home", "/", None),
    ("campaign", "/campaigns/demo/", None),
    ("map", "/sortings/1/", None),
    ("outliers", "/sortings/1/outliers/", None),
    ("prototype", "/sortings/1/", "main a[href^='/prototypes/']"),
    ("subject", "/sortings/1/outliers/", "main a[href^='/subjects/']"),
    ("releases", "/releases/", None),
    ("release", "/releases/", "main li a[href^='/releases/'], main h3 a[href^='/releases/']"),
    ("me", "/me/", None),
    ("jobs", "/jobs/", None),
    ("job", "/jobs/", "main tbody a[href^='/jobs/']"),
    ("missing", "/no/such/page/", None),
    ("api-docs", "/api/docs/", None),
    ("classify", "/campaigns/demo/classify/", None),
]


def pages(browser: Browser, site: str) -> Iterator[tuple[str, Page]]:
    for width, (x, y) in WIDTHS.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                base_url=site, viewport={"width": x, "height": y}, color_scheme=scheme
            )
            yield f"{width}-{scheme}", context.new_page()
            context.close()


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    page.locator("form[action*=login] button[type=submit], main button[type=submit]").first.click()
    page.wait_for_load_state("networkidle")


def take(page: Page, wanted: list[tuple[str, str, str | None]], folder: Path, look: str) -> None:
    for name, path, link in wanted:
        page.goto(path)
        if link:
            page.goto(page.locator(link).first.get_attribute("href") or path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}-{look}.png", full_page=name != "classify")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            print(f"{name} {look}: {overflow} pixels too wide")


def main() -> None:
    site, folder = sys.argv[1], Path(sys.argv[2])
    account = sys.argv[3:5]
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for look, page in pages(browser, site):
            take(page, SIGNED_OUT, folder, look)
            if account:
                sign_in(page, *account)
            take(page, PAGES, folder, look)
        browser.close()


if __name__ == "__main__":
    main()
