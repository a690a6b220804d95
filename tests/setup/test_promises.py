"""What the documents promise about set-up is there: commands, pins, a kind word for old Pythons."""

import ast
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bootstrap

ROOT = bootstrap.ROOT
COMMANDS = [
    "help",
    "setup",
    "demo",
    "test",
    "run",
    "worker",
    "lint",
    "types",
    "format",
    "messages",
    "check",
    "bench",
    "clean",
]


def make(*arguments: str) -> str:
    # The make that runs these tests hands its own options down through the environment.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    env.pop("ARGS", None)
    answer = subprocess.run(
        ["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    return answer.stdout


def test_make_alone_shows_the_help():
    assert make() == make("help")


def test_help_lists_every_command_with_what_it_does():
    listed = re.findall(r"^  ([a-z]+) +\S.{15}", make("help"), re.MULTILINE)
    assert listed == COMMANDS


def test_every_command_sets_up_first_but_those_that_need_nothing():
    for command in COMMANDS:
        sets_up = "bootstrap.py" in make("--dry-run", command)
        assert sets_up is (command not in {"help", "clean"}), command


def test_test_command_runs_both_kinds_of_tests():
    plan = make("--dry-run", "test", "ARGS=-k vote")
    assert "npm --prefix frontend run --silent test" in plan
    assert re.search(r"python -m pytest --numprocesses auto .*-k vote$", plan, re.MULTILINE)


def test_clean_leaves_the_data():
    plan = make("--dry-run", "clean")
    assert ".venv" in plan
    assert not re.search(r"(^|[\s/])var\b", plan)


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pinned)
    return {canonicalize_name(name): version for name, version in pinned}


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_dependency_is_pinned_to_a_version_that_fits(requirement):
    version = pins().get(canonicalize_name(requirement.name))
    assert version is not None, f"constraints.txt does not pin {requirement.name}"
    assert requirement.specifier.contains(version)


def test_pins_hold_on_every_machine():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert [version for version in pins().values() if not re.fullmatch(r"[\w.]+", version)] == []
    assert bootstrap.wanted_torch(text) == pins()["torch"]


def test_missing_pin_of_torch_is_explained():
    with pytest.raises(bootstrap.SetupError, match="must pin torch"):
        bootstrap.wanted_torch("numpy==2.4.6\n")


def test_older_pythons_can_read_the_refusal():
    ast.parse(Path(bootstrap.__file__).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_front_end_lock_names_no_host_to_download_from():
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert packages
    assert [name for name, about in packages.items() if "resolved" in about] == []
    assert [name for name, about in packages.items() if "integrity" not in about] == []


def test_front_end_lock_holds_what_other_systems_need():
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    names = {name.rpartition("node_modules/")[2] for name in packages}
    missing = {
        optional
        for about in packages.values()
        for optional in about.get("optionalDependencies", {})
        if optional not in names
    }
    assert missing == set()
