"""Points and boxes that volunteers put on a picture.

Positions count in arcseconds from the picture's center, x to the right and y up, in the frame that
was shown: that of the prototype for a prototype, that of the sky for a single subject.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from protozoo.voting.exceptions import MarksError
from protozoo.voting.models import Item
from protozoo.voting.trees import MOST_MARKS, Tree, tree_roles


class Mark(TypedDict):
    """One point, or one box around its position."""

    role: str
    shape: Literal["point", "box"]
    x_arcsec: float
    y_arcsec: float
    width_arcsec: NotRequired[float]
    height_arcsec: NotRequired[float]


def marks_check(marks: Sequence[Mapping[str, Any]], *, tree: Tree, kind: str) -> list[Mark]:
    """Give the marks on an item back in their plain form, or say what is wrong with them."""
    if marks and kind == Item.Kind.GRID:
        raise MarksError("A grid of members takes no marks.")
    if len(marks) > MOST_MARKS:
        raise MarksError(f"A picture gets at most {MOST_MARKS} marks; these are {len(marks)}.")
    shapes = {role["key"]: role["shape"] for role in tree_roles(tree)}
    return [
        _mark_check(mark, shapes, where=f"Mark {number}")
        for number, mark in enumerate(marks, start=1)
    ]


def _mark_check(mark: Mapping[str, Any], shapes: Mapping[str, str], *, where: str) -> Mark:
    role, shape = mark["role"], mark["shape"]
    if role not in shapes:
        known = ", ".join(shapes) or "none"
        raise MarksError(f"{where} has the role {role!r}; the question offers {known}.")
    if shape != shapes[role]:
        raise MarksError(f"{where}: the role {role!r} is marked by a {shapes[role]}, not {shape}.")
    tidy: Mark = {
        "role": role,
        "shape": shape,
        "x_arcsec": _number(mark, "x_arcsec", where),
        "y_arcsec": _number(mark, "y_arcsec", where),
    }
    if shape == "box":
        tidy["width_arcsec"] = _side(mark, "width_arcsec", where)
        tidy["height_arcsec"] = _side(mark, "height_arcsec", where)
    elif mark.get("width_arcsec") is not None or mark.get("height_arcsec") is not None:
        raise MarksError(f"{where} is a point, so it has neither width nor height.")
    return tidy


def _number(mark: Mapping[str, Any], name: str, where: str) -> float:
    value = mark.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise MarksError(f"{where} needs a finite number {name}, got {value!r}.")
    return float(value)


def _side(mark: Mapping[str, Any], name: str, where: str) -> float:
    value = _number(mark, name, where)
    if value <= 0:
        raise MarksError(f"{where} is a box and needs a {name} above zero, got {value}.")
    return value
