import json
import os

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template

from protozoo.config.templatetags import frontend

MANIFEST = {
    "styles/main.css": {"file": "assets/main-1a2b3c4d.css", "isEntry": True},
    "src/islands/map.tsx": {
        "file": "assets/map-11111111.js",
        "imports": ["_shared.js"],
        "css": ["assets/map-22222222.css"],
    },
    "_shared.js": {"file": "assets/shared-33333333.js", "imports": ["_core.js"], "css": []},
    "_core.js": {"file": "assets/core-44444444.js", "imports": ["_shared.js"]},
}


@pytest.fixture
def built(tmp_path, settings):
    settings.FRONTEND_DIST = tmp_path / "dist"
    path = settings.FRONTEND_DIST / ".vite" / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(MANIFEST))
    return path


def test_a_style_sheet_is_linked_under_its_hashed_name(built) -> None:
    expected = '<link rel="stylesheet" href="/static/assets/main-1a2b3c4d.css">'
    assert frontend.vite("styles/main.css") == expected


def test_an_island_brings_its_styles_and_everything_that_it_imports_once(built) -> None:
    assert frontend.vite("islands/map") == (
        '<link rel="stylesheet" href="/static/assets/map-22222222.css">'
        '<link rel="modulepreload" href="/static/assets/shared-33333333.js">'
        '<link rel="modulepreload" href="/static/assets/core-44444444.js">'
        '<script type="module" src="/static/assets/map-11111111.js"></script>'
    )


def test_a_missing_build_says_what_to_run(tmp_path, settings) -> None:
    settings.FRONTEND_DIST = tmp_path
    with pytest.raises(ImproperlyConfigured, match=r"not built .* run 'make setup'"):
        frontend.vite("styles/main.css")


def test_an_unknown_entry_is_named(built) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"has no src/islands/moon\.tsx"):
        frontend.vite("islands/moon")


def test_a_new_build_is_seen_without_a_restart(built) -> None:
    frontend.vite("styles/main.css")
    built.write_text(json.dumps({"styles/main.css": {"file": "assets/main-99999999.css"}}))
    os.utime(built, ns=(1, 1))
    assert "main-99999999" in frontend.vite("styles/main.css")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("count", 1234567, "1\u202f234\u202f567"),
        ("count", None, ""),
        ("percent", 0.824, "82\u202f%"),
        ("percent", 0.996, ">\u202f99\u202f%"),
        ("percent", 0.004, "<\u202f1\u202f%"),
        ("percent", 0.0, "0\u202f%"),
        ("percent", 1.0, "100\u202f%"),
        ("figure", 1.12249, "1.12"),
        ("figure", 214.0, "214"),
        ("figure", 18846.0, "18\u202f800"),
        ("figure", -0.5, "\u22120.5"),
        ("figure", None, ""),
        ("degrees", -12.5, "\u221212.5000°"),
        ("degrees:5", 12.5, "12.50000°"),
        ("tenths", -3.44, "\u22123.4"),
        ("tenths", -0.04, "0.0"),
        ("tenths", None, ""),
        ("machine", 0.25, "0.25"),
    ],
)
def test_numbers_are_written_for_people(name, value, text) -> None:
    template = Template("{% load frontend %}{{ value|" + name + " }}")
    assert template.render(Context({"value": value}, autoescape=False)) == text


def test_nothing_of_nothing_is_no_share() -> None:
    assert frontend.share_of(0, 0) == 0.0
    assert frontend.share_of(1, 4) == 0.25
