"""How long the next picture takes after an answer, and what the page weighs, in a real browser.

    .venv/bin/python tests/bench/classify_latency.py [--items 100] [--pause 0.5] [-o FILE]

Starts a site of its own on SQLite with several thousand items, served just as `manage.py serve`
does, opens the page on which volunteers answer in Chromium, and answers by keyboard. Timed is from
the key press to the frame with the next item's pictures: the large one, or all tiles of a grid.
Then the page is opened anew several times, with nothing kept by the browser, for its first
contentful paint; script and style are weighed gzipped.
"""

import argparse
import gzip
import json
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform"), str(ROOT / "ml")]

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.load.site import free_port, fresh_site, web_server  # noqa: E402

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
N_LOADS = 5
# A message sent from a frame's callback is heard when the frame has been painted.
TIMES = """
window.times = [];
addEventListener("keydown", (event) => {
  const shown = () => [...document.querySelectorAll(".viewer--large canvas, .tile canvas")];
  const before = new Set(shown());
  const isNew = (one) => !before.has(one) && one.dataset.painted === "true";
  const look = () => {
    const now = shown();
    if (!now.length || !now.every(isNew)) return requestAnimationFrame(look);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => times.push(performance.now() - event.timeStamp);
    port2.postMessage(null);
  };
  requestAnimationFrame(look);
}, true);
"""
FIRST_PAINT = """
() => new Promise((told) => new PerformanceObserver((list, observer) => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) { observer.disconnect(); told(found.startTime); }
}).observe({ type: "paint", buffered: true }))
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0.5, help="s of looking at each item")
    parser.add_argument("-o", "--output", type=Path, help="write all figures as JSON")
    return parser.parse_args()


def answer_items(page: Page, address: str, n_items: int, pause_s: float) -> list[float]:
    """Answer by keyboard, and give the milliseconds until each next picture."""
    page.add_init_script(TIMES)
    page.goto(address)
    page.get_by_role("button", name="Skip the tutorial").click()
    shown = ""
    for n_answered in range(n_items):
        item = page.locator(f'[data-ready]:not([data-ready="{shown}"])')
        item.wait_for()
        shown = item.get_attribute("data-ready") or ""
        page.wait_for_timeout(1000 * pause_s)
        page.keyboard.press("Enter" if page.locator(".tile").count() else "1")
        page.wait_for_function("n => times.length > n", arg=n_answered)
    times: list[float] = page.evaluate("times")
    return times


def first_paint(browser: Browser, address: str) -> float:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    found: float = page.evaluate(FIRST_PAINT)
    context.close()
    return found


def weights(browser: Browser, address: str) -> dict[str, int]:
    """Weigh what the page loads besides itself and pictures, in bytes when gzipped."""
    context = browser.new_context()
    page = context.new_page()
    found: dict[str, int] = {}

    def weigh(response: Any) -> None:
        if response.request.resource_type in {"script", "stylesheet"}:
            name = response.url.rpartition("/")[2]
            found[name] = len(gzip.compress(response.body(), mtime=0))

    page.on("response", weigh)
    page.goto(address, wait_until="networkidle")
    context.close()
    return found


def measure(options: argparse.Namespace, address: str) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        times = answer_items(browser.new_page(), address, options.items, options.pause)
        paints = [first_paint(browser, address) for _ in range(N_LOADS)]
        weight = weights(browser, address)
        browser.close()
    return {
        "items": len(times),
        "next_picture_ms": {
            "median": round(statistics.median(times), 1),
            "p95": round(statistics.quantiles(times, n=20)[-1], 1),
            "longest": round(max(times), 1),
        },
        "first_contentful_paint_ms": round(statistics.median(paints), 1),
        "gzipped_bytes": {"total": sum(weight.values()), **weight},
    }


def main() -> None:
    options = arguments()
    with fresh_site("sqlite"):
        from protozoo.pipeline.serving import web_server_command
        from tests.load.campaign import SLUG, Size, campaign_make

        campaign_make(Size())
        site = f"127.0.0.1:{free_port()}"
        with web_server(web_server_command(site), site):
            found = measure(options, f"http://{site}/campaigns/{SLUG}/classify/")
    for name, figures in found.items():
        print(f"{name}: {figures}")
    if options.output:
        options.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
