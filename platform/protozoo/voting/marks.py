"""Points and boxes that volunteers put on a picture.

Positions count in arcseconds from the picture's center, x to the right and y up, in the frame that
was shown: that of the prototype for a prototype, that of the sky for a single subject.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from django.utils.translation import gettext as _

from protozoo.surveys.models import Survey
from protozoo.voting.exceptions import MarksError
from protozoo.voting.models import Item
from protozoo.voting.trees import Role, Tree, tree_roles


class Mark(TypedDict):
    """One point, or one box around its position."""

    role: str
    shape: Literal["point", "box"]
    x_arcsec: float
    y_arcsec: float
    width_arcsec: NotRequired[float]
    height_arcsec: NotRequired[float]


def marks_check(marks: Sequence[Mapping[str, Any]], *, tree: Tree, item: Item) -> list[Mark]:
    """Give the marks on an item back in their plain form, or say what is wrong with them."""
    if not marks:
        return []
    if item.kind == Item.Kind.GRID:
        raise MarksError(_("A grid of members takes no marks."))
    survey = item.campaign.sorting.survey
    if survey.pixel_scale_arcsec is None:
        raise MarksError(
            _("The pixel scale of {survey} is not known, so its pictures take no marks.").format(
                survey=survey
            )
        )
    roles = {role["key"]: role for role in tree_roles(tree)}
    tidy = [
        _mark_check(mark, roles, survey, name=_("Mark {number}").format(number=number))
        for number, mark in enumerate(marks, start=1)
    ]
    _check_numbers(tidy, roles)
    return tidy


def _mark_check(
    mark: Mapping[str, Any], roles: Mapping[str, Role], survey: Survey, *, name: str
) -> Mark:
    shape = _shape_check(mark, roles, name)
    tidy: Mark = {
        "role": mark["role"],
        "shape": shape,
        "x_arcsec": _number(mark, "x_arcsec", name),
        "y_arcsec": _number(mark, "y_arcsec", name),
    }
    if shape == "box":
        tidy["width_arcsec"] = _side(mark, "width_arcsec", name)
        tidy["height_arcsec"] = _side(mark, "height_arcsec", name)
    elif mark.get("width_arcsec") is not None or mark.get("height_arcsec") is not None:
        raise MarksError(_("{mark} is a point and has neither width nor height.").format(mark=name))
    _check_place(tidy, survey, name)
    return tidy


def _shape_check(
    mark: Mapping[str, Any], roles: Mapping[str, Role], name: str
) -> Literal["point", "box"]:
    role, shape = mark["role"], mark["shape"]
    if role not in roles:
        sentence = _("{mark} has the role {role!r}; the question offers {known}.")
        known = ", ".join(roles) or _("none")
        raise MarksError(sentence.format(mark=name, role=role, known=known))
    wanted = roles[role]["shape"]
    if shape != wanted:
        sentence = _("{mark}: the role {role!r} is marked by a {wanted}, not by a {shape}.")
        raise MarksError(sentence.format(mark=name, role=role, wanted=wanted, shape=shape))
    return wanted


def _check_place(mark: Mark, survey: Survey, name: str) -> None:
    """Hold a mark inside its picture, to a pixel."""
    scale = survey.pixel_scale_arcsec or 0.0
    farthest = (survey.image_size / 2 + 1) * scale
    x_reach = abs(mark["x_arcsec"]) + mark.get("width_arcsec", 0.0) / 2
    y_reach = abs(mark["y_arcsec"]) + mark.get("height_arcsec", 0.0) / 2
    if max(x_reach, y_reach) > farthest:
        sentence = _(
            "{mark} reaches {reach:.1f} arcsec from the middle; the picture ends at {half:.1f}."
        )
        half = survey.image_size / 2 * scale
        raise MarksError(sentence.format(mark=name, reach=max(x_reach, y_reach), half=half))


def _check_numbers(marks: Sequence[Mark], roles: Mapping[str, Role]) -> None:
    for role, count in Counter(mark["role"] for mark in marks).items():
        if count > roles[role]["most"]:
            sentence = _("A picture takes no more than {most} of {role!r}; these are {count}.")
            raise MarksError(sentence.format(most=roles[role]["most"], role=role, count=count))


def _number(mark: Mapping[str, Any], field: str, name: str) -> float:
    value = mark.get(field)
    if not isinstance(value, int | float) or not math.isfinite(value):
        sentence = _("{mark} needs a finite number {field}, got {value!r}.")
        raise MarksError(sentence.format(mark=name, field=field, value=value))
    return float(value)


def _side(mark: Mapping[str, Any], field: str, name: str) -> float:
    value = _number(mark, field, name)
    if value <= 0:
        sentence = _("{mark} is a box and needs a {field} above zero, got {value}.")
        raise MarksError(sentence.format(mark=name, field=field, value=value))
    return value
