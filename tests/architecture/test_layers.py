"""The rules between the rooms of the house hold."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "platform" / "protozoo"
ENGINE = ROOT / "ml" / "skysort"

# From the top down; apps on one floor do not know each other.
FLOORS = [
    {"config"},
    {"pipeline"},
    {"catalog"},
    {"consensus"},
    {"voting"},
    {"sorting"},
    {"subjects"},
    {"surveys"},
    {"sky"},
    {"jobs"},
    {"accounts"},
    {"exceptions"},
]
FLOOR_OF = {app: floor for floor, apps in enumerate(FLOORS) for app in apps}
TORCH_FREE = ["errors", "images", "consensus", "zooniverse", "synthetic"]


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def upward_imports(path: Path) -> list[str]:
    own = path.relative_to(SITE).parts[0].removesuffix(".py")
    targets = {name.split(".")[1] for name in imports_of(path) if name.startswith("protozoo.")}
    return sorted(
        app for app in targets & set(FLOOR_OF) if app != own and FLOOR_OF[app] <= FLOOR_OF[own]
    )


def in_fresh_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT / 'ml'}", "STORAGE_FOLDER": ""},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_app_has_a_floor():
    apps = {path.name for path in SITE.iterdir() if (path / "apps.py").exists()}
    assert apps == set(FLOOR_OF) - {"exceptions"}


def test_imports_go_downwards_only():
    sources = [path for path in SITE.rglob("*.py") if "migrations" not in path.parts]
    assert len(sources) > 40
    wrong = {str(path.relative_to(SITE)): upward_imports(path) for path in sources}
    assert {path: apps for path, apps in wrong.items() if apps} == {}


def test_an_upward_import_would_be_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SITE", tmp_path)
    (tmp_path / "sorting").mkdir()
    module = tmp_path / "sorting" / "services.py"
    module.write_text("from protozoo.voting.models import Vote\n")
    assert upward_imports(module) == ["voting"]


def test_the_engine_knows_no_django():
    for path in ENGINE.rglob("*.py"):
        roots = {name.split(".")[0] for name in imports_of(path)}
        assert not roots & {"django", "protozoo", "rest_framework", "rq"}, path


@pytest.mark.parametrize("part", TORCH_FREE)
def test_parts_of_the_engine_need_no_torch(part):
    root = ENGINE / part
    modules = [
        path.relative_to(ENGINE.parent).with_suffix("").as_posix().replace("/", ".")
        for path in (root.rglob("*.py") if root.is_dir() else [root.with_suffix(".py")])
        if path.name != "__init__.py"
    ]
    assert modules
    code = f"import sys, {', '.join(modules)}; print('torch' in sys.modules)"
    assert in_fresh_python(code) == "False"


def test_the_som_needs_numpy_and_torch_alone():
    modules = [f"skysort.som.{path.stem}" for path in (ENGINE / "som").glob("[a-z]*.py")]
    forbidden = ["astropy", "PIL", "h5py", "scipy", "sep", "django"]
    code = (
        f"import sys, {', '.join(modules)};"
        f" print([name for name in {forbidden} if name in sys.modules])"
    )
    assert in_fresh_python(code) == "[]"


def test_a_web_process_never_imports_torch():
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'protozoo.config.settings';"
        " import django; django.setup();"
        " from django.urls import get_resolver; assert len(get_resolver().url_patterns) > 5;"
        " import protozoo.config.wsgi;"
        " print('torch' in sys.modules)"
    )
    assert in_fresh_python(code) == "False"


def test_platform_is_no_package():
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert in_fresh_python("import platform; print(bool(platform.system()))") == "True"
