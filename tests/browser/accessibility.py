"""Looks for what keeps people from using a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Axe leaves rules of WCAG 2.2 out unless they are asked for.
ASKED_FOR = {"target-size": {"enabled": True}}
# What another theme may break.
OF_COLORS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}
OF_ALL = {"runOnly": TAGS, "rules": ASKED_FOR, "resultTypes": ["violations"]}

# Gives what looks the same with the focus as without, though it can have it by the tab key.
WITHOUT_RING = """
() => {
  const look = (one) => [one, ...(one.labels ?? []), ...one.querySelectorAll("*")]
    .map((each) => getComputedStyle(each))
    .map((style) => [style.outlineStyle === "none" ? 0 : style.outlineWidth, style.boxShadow,
      style.stroke, style.strokeWidth])
    .join();
  return [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]"
  )]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility())
    .filter((one) => {
      document.activeElement.blur();
      const before = look(one);
      one.focus();
      return document.activeElement === one && look(one) === before;
    })
    .map((one) => one.outerHTML.slice(0, 120));
}
"""
# Gives what moves although the reader wants nothing to.
MOVING = """
() => document.getAnimations()
  .filter((one) => one.playState === "running" && one.effect.getComputedTiming().duration > 1)
  .map((one) => `${one.animationName ?? one.transitionProperty} moves`)
"""
# Gives what a finger may miss.
SMALL = """
(scope) => [...document.querySelectorAll(scope)]
  .flatMap((part) => [...part.querySelectorAll("a[href], button, input, select, summary")])
  .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map((one) => [(one.labels?.[0] ?? one).getBoundingClientRect(), one])
  .filter(([box]) => box.width > 1 && (box.width < 43.5 || box.height < 43.5))
  .map(([box, one]) => `${Math.round(box.width)} x ${Math.round(box.height)}: `
    + one.outerHTML.slice(0, 100))
"""


def violations(page: Page, options: dict | None = None) -> list[str]:
    """Give what axe objects to: the rule and the first places where it is broken."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("options => axe.run(options)", options or OF_ALL)["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {' '.join(node['failureSummary'].split())[:200]}"
        for one in found
        for node in one["nodes"][:3]
    ]


def violations_in_light_and_dark(page: Page) -> list[str]:
    """Look at a page that is in its light colors in both."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark, {one}" for one in violations(page, OF_COLORS)]
    page.emulate_media(color_scheme="light")
    return found


def without_ring(page: Page) -> list[str]:
    """Give what can have the focus and does not show it."""
    page.keyboard.press("Tab")  # from here on a focus is one of the keyboard
    return [f"no ring: {one}" for one in page.evaluate(WITHOUT_RING)]


def moving(page: Page) -> list[str]:
    return page.evaluate(MOVING)


def small_targets(page: Page, scope: str) -> list[str]:
    """Give the controls within a part of the page that are less than 44 pixels wide or high."""
    return [f"small: {one}" for one in page.evaluate(SMALL, scope)]
