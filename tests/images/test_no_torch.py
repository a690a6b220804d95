"""Images are read, cut and drawn where there is no torch and no Django."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = sorted(
    path.stem
    for path in (ROOT / "ml" / "skysort" / "images").glob("*.py")
    if path.stem != "__init__"
)


def test_every_part_is_imported_without_torch_scipy_and_django():
    assert len(PARTS) >= 8
    code = (
        "import importlib, sys\n"
        f"for part in {PARTS!r}: importlib.import_module('skysort.images.' + part)\n"
        "print(sorted({'torch', 'django', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "ml"), "PATH": ""},
    )
    assert done.stdout.strip() == "[]"
