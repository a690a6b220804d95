"""What templates need of the front end: built files, pages of a list, and readable numbers."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()

THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


class Chunk(TypedDict, total=False):
    """One entry of Vite's manifest."""

    file: str
    css: list[str]
    imports: list[str]
    dynamicImports: list[str]


@register.simple_tag
def vite(entry: str) -> SafeString:
    """Link the built files of an entry: "styles/main.css" or "islands/classify"."""
    manifest = _manifest(settings.FRONTEND_DIST / ".vite" / "manifest.json")
    name = _source_of(entry)
    if name not in manifest:
        raise ImproperlyConfigured(
            f"The built front end has no {name}: build it again with 'make setup'."
        )
    chunk = manifest[name]
    if chunk["file"].endswith(".css"):
        return _stylesheets([chunk["file"]])
    shared = _imports_of(name, manifest)
    ahead = [*shared, *_words_of([chunk, *shared], manifest)]
    styles = [file for part in (chunk, *shared) for file in part.get("css", [])]
    return SafeString(
        _stylesheets(list(dict.fromkeys(styles)))
        + format_html_join(
            "", '<link rel="modulepreload" href="{}">', ((static(part["file"]),) for part in ahead)
        )
        + format_html('<script type="module" src="{}"></script>', static(chunk["file"]))
    )


def _source_of(entry: str) -> str:
    return entry if entry.startswith("styles/") else f"src/{entry}.tsx"


def _imports_of(name: str, manifest: dict[str, Chunk]) -> list[Chunk]:
    """All chunks that an entry needs, each once, nearest first."""
    seen: dict[str, Chunk] = {}
    waiting = list(manifest[name].get("imports", []))
    while waiting:
        other = waiting.pop(0)
        if other not in seen:
            seen[other] = manifest[other]
            waiting.extend(manifest[other].get("imports", []))
    return list(seen.values())


def _words_of(chunks: list[Chunk], manifest: dict[str, Chunk]) -> list[Chunk]:
    """Give the words of the page's language, if these chunks speak at all."""
    words = f"src/locale/{get_language()}.json"
    are_spoken = any(words in chunk.get("dynamicImports", []) for chunk in chunks)
    return [manifest[words]] if are_spoken else []


def _stylesheets(files: list[str]) -> SafeString:
    return format_html_join(
        "", '<link rel="stylesheet" href="{}">', ((static(file),) for file in files)
    )


def _manifest(path: Path) -> dict[str, Chunk]:
    try:
        return _manifest_of(path, path.stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise ImproperlyConfigured(
            f"The front end is not built ({path} is missing): run 'make setup'."
        ) from error


@lru_cache(maxsize=4)
def _manifest_of(path: Path, changed_at: int) -> dict[str, Chunk]:
    """Read the manifest once for each build; a new build has another time."""
    manifest: dict[str, Chunk] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


@register.simple_tag(takes_context=True)
def page_address(context: RequestContext, number: int) -> str:
    """Tell the address of another page of the list shown, all other parameters kept."""
    request: HttpRequest = context["request"]
    parameters = request.GET.copy()
    parameters["page"] = str(number)
    return f"?{parameters.urlencode()}"


@register.filter
def count(value: int | None) -> str:
    """Write a whole number in groups of three: 12 345."""
    return "" if value is None else f"{value:,}".replace(",", THIN_SPACE)


@register.filter
def percent(value: float | None) -> str:
    """Write a share of one as percent, never rounded up to all or down to nothing."""
    if value is None:
        return ""
    if 0 < value < 0.01:
        return "< 1 %".replace(" ", THIN_SPACE)
    if 0.99 < value < 1:
        return "> 99 %".replace(" ", THIN_SPACE)
    return f"{value:.0%}".replace("%", f"{THIN_SPACE}%")


@register.filter
def figure(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits: 0.0123, 1.12, 214."""
    if value is None:
        return ""
    text = f"{value:.{digits}g}"
    if "e" in text and abs(value) < 1e15:
        text = f"{float(text):,.0f}".replace(",", THIN_SPACE) if abs(value) >= 1 else text
    return number_format(text).replace("-", MINUS)


@register.filter
def degrees(value: float | None, digits: int = 4) -> str:
    """Write an angle on the sky to a third of an arcsecond, as programs take it: 161.0323°."""
    return "" if value is None else f"{value:.{digits}f}°".replace("-", MINUS)


@register.filter
def tenths(value: float | None) -> str:
    """Write a number to a tenth: 12.0, 3.4; never a zero with a sign."""
    if value is None:
        return ""
    return number_format(round(value, 1) + 0.0, decimal_pos=1).replace("-", MINUS)


@register.filter
def share_of(part: float, whole: float) -> float:
    """Divide, for percent and meter; nothing of nothing is 0."""
    return part / whole if whole else 0.0


@register.filter
def machine(value: float) -> str:
    """Write a number for an attribute that a program reads, whatever the language."""
    return repr(value)


@register.filter(name="json")
def as_json(value: object) -> str:
    """Write what an island is given, for its data-props attribute; the template escapes it."""
    return json.dumps(value, ensure_ascii=False)
