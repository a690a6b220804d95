"""Question trees: what a volunteer is asked, step by step, and what each last answer means."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "question_trees"
DEFAULT = "radio_morphology"


def default_tree() -> dict[str, Any]:
    """Read the tree that a campaign asks if it is given none."""
    tree: dict[str, Any] = json.loads((FOLDER / f"{DEFAULT}.json").read_text())
    return tree
