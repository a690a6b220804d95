"""The types that the front end takes for the API are those that the site gives."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

FRONTEND = Path(__file__).parents[2] / "frontend"
TYPES = FRONTEND / "src" / "api" / "schema.d.ts"
GENERATOR = FRONTEND / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
NODE = Path(sys.executable).with_name("node")


def test_the_types_of_the_api_are_the_newest(tmp_path: Path) -> None:
    if not GENERATOR.exists():
        pytest.skip("the front end is not set up")
    document, types = tmp_path / "openapi.yaml", tmp_path / "schema.d.ts"
    call_command("spectacular", file=str(document))
    command = [NODE, GENERATOR, document, "--output", types]
    subprocess.run(command, cwd=FRONTEND, check=True, capture_output=True, timeout=120)
    assert types.read_text() == TYPES.read_text(), "run `npm --prefix frontend run api-types`"


def test_the_front_end_writes_no_types_of_the_api_by_hand() -> None:
    users = [path for path in FRONTEND.glob("src/**/*.ts") if path != TYPES]
    taken = {path.name for path in users if "api/schema" in path.read_text()}
    assert {"classifying.ts", "parcels.ts", "tree.ts", "jobProgress.ts"} <= taken
