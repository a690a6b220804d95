"""What the documents name is there."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "fixtures/README.md",
    "frontend/screenshots/README.md",
]


@pytest.fixture(params=PAGES)
def page(request):
    return ROOT / request.param


def test_links_lead_to_files(page):
    text = page.read_text()
    links = re.findall(r"\]\((?!http)([^)#]+)\)|src=\"(?!http)([^\"]+)\"", text)
    for target in (one or other for one, other in links):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_commands_exist(page):
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))
    assert named <= set(get_commands()), f"{page.name} names {named - set(get_commands())}"


def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE))
    assert named <= targets, f"{page.name} names {named - targets}"


def test_the_two_commands_stand_on_the_first_screen():
    first_screen = (ROOT / "README.md").read_text().splitlines()[:30]
    assert any(line.startswith("make demo") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)


def test_services_and_tasks_of_the_table_exist():
    import importlib

    named = re.findall(r"`([a-z]+)\.(services|tasks|training|votes)\.([a-z_]+)`", _architecture())
    assert len(named) >= 8
    for app, module, name in named:
        assert hasattr(importlib.import_module(f"protozoo.{app}.{module}"), name)


def _architecture():
    return (ROOT / "ARCHITECTURE.md").read_text()
