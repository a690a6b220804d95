"""Arguments that several commands share, and the rules of their values."""

import argparse
import math
from pathlib import Path
from typing import Any, Protocol

from skysort.errors import InputError

__all__ = [
    "Commands",
    "add_device",
    "add_force",
    "add_images",
    "add_map",
    "add_recipe",
    "check_target",
    "grid_shape",
    "positive_float",
    "positive_number",
    "share",
    "whole_number",
]


OF_THE_MAP = "that of the map"


class Commands(Protocol):
    """Where commands are registered: what `ArgumentParser.add_subparsers` gives."""

    def add_parser(self, name: str, **texts: Any) -> argparse.ArgumentParser:
        """Add a command."""
        ...


def whole_number(text: str) -> int:
    """Read a number that is 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text}")
    return int(text)


def positive_number(text: str) -> int:
    """Read a number that is 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, got {text}")
    return int(text)


def positive_float(text: str) -> float:
    """Read a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return number


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text}")
    return number


def grid_shape(text: str) -> tuple[int, int]:
    """Read rows and columns, as in 10x12.

    Examples
    --------
    >>> grid_shape("10x12")
    (10, 12)
    """
    rows, _, columns = text.lower().partition("x")
    if not (rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns)):
        raise argparse.ArgumentTypeError(f"must be ROWSxCOLUMNS, as in 10x12, got {text}")
    return int(rows), int(columns)


def add_map(parser: argparse.ArgumentParser) -> None:
    """Ask for a map file."""
    parser.add_argument("map", type=Path, metavar="MAP", help="a map.safetensors file")


def add_images(parser: argparse.ArgumentParser, *, usual: str = OF_THE_MAP) -> None:
    """Ask for images and how to prepare them; `usual` says what happens if nobody tells."""
    parser.add_argument(
        "images",
        type=Path,
        metavar="IMAGES",
        help="a .npy cube (n, y, x) or (n, c, y, x), a folder of shards, or PINK's images",
    )
    add_recipe(parser, usual=usual)


def add_recipe(parser: argparse.ArgumentParser, *, usual: str = OF_THE_MAP) -> None:
    """Ask how to prepare images."""
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help="how to prepare the pixels, such as sqrt-1; none takes them as they are "
        f"(default: {usual})",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Ask where to compute."""
    parser.add_argument(
        "--device", default="cpu", help="where torch computes, such as cuda (default: cpu)"
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """Ask whether files may be replaced."""
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def check_target(path: Path, *, force: bool) -> None:
    """Refuse to replace a file unasked, or to write where no folder is, before any work.

    Raises
    ------
    InputError
        Saying what to do.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    if path.exists() and not force:
        raise InputError(f"{path} exists; name another file, or replace it with --force")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {path.parent}")
