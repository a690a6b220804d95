#!/usr/bin/env python
"""Runs ProtoZoo's management commands."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Put both source roots on the path and hand over to Django."""
    root = Path(__file__).resolve().parent
    sys.path[:0] = [str(root / "platform"), str(root / "ml")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "protozoo.config.settings")
    try:
        from protozoo.config.command_line import run
    except ImportError as error:
        raise SystemExit("Django is not installed here: run 'make setup' first.") from error
    run(sys.argv)


if __name__ == "__main__":
    main()
