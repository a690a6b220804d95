"""Finds what volunteers have marked in a picture, and what they agree on.

Marks on a prototype travel to its members through angle and flip. Votes of all campaigns count;
volunteers are told apart by numbers, and never named.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from django.db.models import Q

from protozoo.sorting.models import Assignment, Prototype
from protozoo.subjects.models import Subject
from protozoo.surveys.models import Survey
from protozoo.voting.marks import Mark
from protozoo.voting.models import Item, Question, Vote
from protozoo.voting.trees import Role, Tree, tree_leaves, tree_roles
from skysort.consensus.marks import REACH, AgreedMarks, agreed_boxes, agreed_points
from skysort.images.marks import angles_to_member, positions_to_member, sky_positions

# Of each picture the marks of so many count, the first ones: gold subjects are asked for ever, and
# to compare all marks with all others takes the cube of their number.
MOST_MARKERS: Final = 100


@dataclass(frozen=True)
class MarkedSpot:
    """A spot of a picture that one volunteer marked, or that several agree on.

    `volunteer` numbers whoever marked it; where several agree there is none, but a scatter.
    `prototype` is set where a subject has the spot from its prototype.
    """

    role: str
    role_title: str
    role_number: int
    shape: str
    x_arcsec: float
    y_arcsec: float
    width_arcsec: float | None
    height_arcsec: float | None
    n_volunteers: int
    n_asked: int
    volunteer: int | None = None
    scatter_arcsec: float | None = None
    angle_deg: float = 0.0
    ra_deg: float | None = None
    dec_deg: float | None = None
    prototype: Prototype | None = None


@dataclass(frozen=True)
class MarkedPicture:
    """All marks in a picture, and the spots on which at least half of the people agree."""

    half_arcsec: float
    agreed: Sequence[MarkedSpot]
    marks: Sequence[MarkedSpot]


@dataclass(frozen=True)
class _Marker:
    """A volunteer who marked a picture or was asked to, and the question that they saw."""

    volunteer: int
    marks: Sequence[Mark]
    tree: Tree


@dataclass(frozen=True)
class _RoleMarks:
    """All marks of one role in one picture, and their volunteers as their places in a list."""

    role: Role
    number: int
    marks: Sequence[Mark]
    volunteers: Sequence[int]
    n_asked: int

    @property
    def positions(self) -> list[tuple[float, float]]:
        return [(mark["x_arcsec"], mark["y_arcsec"]) for mark in self.marks]

    @property
    def sizes(self) -> list[tuple[float, float]]:
        return [(mark["width_arcsec"], mark["height_arcsec"]) for mark in self.marks]


# Pictures -----------------------------------------------------------------------------------
def marked_prototype(prototype: Prototype) -> MarkedPicture:
    """Give the marks on a prototype, in its own frame."""
    markers = _markers(Q(item__kind=Item.Kind.PROTOTYPE, item__prototype=prototype))
    half_arcsec = _half_arcsec(prototype.sorting.survey)
    spots = _spots(markers[prototype.pk], half_arcsec)
    return _picture(half_arcsec, spots)


def marked_subject(subject: Subject) -> MarkedPicture:
    """Give the marks on a subject and on its prototypes, in the subject's own frame."""
    places = {place.prototype_id: place for place in _places_of(subject)}
    markers = _markers(
        Q(item__subject=subject)
        | Q(item__kind=Item.Kind.PROTOTYPE, item__prototype__in=list(places))
    )
    half_arcsec = _half_arcsec(subject.survey)
    spots = _spots(markers.pop(None, []), half_arcsec)
    for prototype, found in markers.items():
        spots += _carried(_spots(found, half_arcsec), places[prototype or 0])
    return _picture(half_arcsec, _on_the_sky(spots, subject))


def _places_of(subject: Subject) -> Iterable[Assignment]:
    """Give the places on all maps, child maps too."""
    return subject.assignments.select_related("prototype__sorting").order_by("pk")


def _picture(half_arcsec: float, spots: Sequence[MarkedSpot]) -> MarkedPicture:
    return MarkedPicture(
        half_arcsec,
        agreed=[spot for spot in spots if spot.volunteer is None],
        marks=[spot for spot in spots if spot.volunteer is not None],
    )


def _half_arcsec(survey: Survey) -> float:
    """Give half the side of a picture; without a scale there are no marks to be placed in it."""
    return survey.image_size / 2 * (survey.pixel_scale_arcsec or 1.0)


# Votes --------------------------------------------------------------------------------------
def _markers(shown: Q) -> dict[int | None, list[_Marker]]:
    """Give who marked or was asked to, by the prototype shown; None: the subject itself."""
    votes = Vote.objects.filter(shown, superseded_at=None).exclude(item__kind=Item.Kind.GRID)
    rows = list(
        votes.order_by("pk").values_list(
            "item__prototype", "volunteer", "marks", "answer", "question"
        )
    )
    trees = dict(
        Question.objects.filter(pk__in={question for *_, question in rows})
        .order_by()
        .values_list("pk", "tree")
    )
    found: dict[int | None, list[_Marker]] = defaultdict(list)
    for prototype, volunteer, marks, answer, question in rows:
        tree: Tree = trees[question]
        is_asked = marks or _asks_marks(tree, answer)
        if is_asked and len(found[prototype]) < MOST_MARKERS:
            found[prototype].append(_Marker(volunteer, marks, tree))
    return found


def _asks_marks(tree: Tree, answer: str) -> bool:
    return any(leaf["key"] == answer and leaf.get("asks_marks") for leaf in tree_leaves(tree))


def _by_role(markers: Sequence[_Marker]) -> list[_RoleMarks]:
    """Sort marks by role and shape; volunteers are numbered in the order of their votes."""
    people = list(dict.fromkeys(marker.volunteer for marker in markers))
    roles = {
        (role["key"], role["shape"]): role for marker in markers for role in tree_roles(marker.tree)
    }
    sorted_marks = []
    for number, role in enumerate(roles.values(), start=1):
        put = [
            (mark, people.index(marker.volunteer) + 1)
            for marker in markers
            for mark in marker.marks
            if (mark["role"], mark["shape"]) == (role["key"], role["shape"])
        ]
        marks, volunteers = [mark for mark, _ in put], [who for _, who in put]
        sorted_marks.append(_RoleMarks(role, number, marks, volunteers, len(people)))
    return [each for each in sorted_marks if each.marks]


# Spots --------------------------------------------------------------------------------------
def _spots(markers: Sequence[_Marker], half_arcsec: float) -> list[MarkedSpot]:
    """Give what people agree on and every single mark, in the frame in which they were put."""
    by_role = _by_role(markers)
    return [
        *(spot for each in by_role for spot in _agreed_spots(each, half_arcsec)),
        *(spot for each in by_role for spot in _single_spots(each)),
    ]


def _agreed_spots(given: _RoleMarks, half_arcsec: float) -> list[MarkedSpot]:
    agreed = _agreement(given, half_arcsec)
    return [
        _spot(
            given,
            position=agreed.positions[number],
            size=agreed.sizes[number],
            n_volunteers=int(agreed.n_volunteers[number]),
            scatter_arcsec=float(agreed.scatter[number]),
        )
        for number in range(len(agreed))
    ]


def _agreement(given: _RoleMarks, half_arcsec: float) -> AgreedMarks:
    if given.role["shape"] == "box":
        return agreed_boxes(
            given.positions,
            given.sizes,
            given.volunteers,
            n_volunteers=given.n_asked,
            most=given.role["most"],
        )
    return agreed_points(
        given.positions,
        given.volunteers,
        n_volunteers=given.n_asked,
        reach=REACH * 2 * half_arcsec,
        most=given.role["most"],
    )


def _single_spots(given: _RoleMarks) -> list[MarkedSpot]:
    sizes = given.sizes if given.role["shape"] == "box" else [(0.0, 0.0)] * len(given.marks)
    return [
        _spot(given, position=position, size=size, n_volunteers=1, volunteer=volunteer)
        for position, size, volunteer in zip(given.positions, sizes, given.volunteers, strict=True)
    ]


def _spot(
    given: _RoleMarks,
    *,
    position: Sequence[float],
    size: Sequence[float],
    n_volunteers: int,
    volunteer: int | None = None,
    scatter_arcsec: float | None = None,
) -> MarkedSpot:
    is_box = given.role["shape"] == "box"
    return MarkedSpot(
        role=given.role["key"],
        role_title=given.role["label"],
        role_number=given.number,
        shape=given.role["shape"],
        x_arcsec=float(position[0]),
        y_arcsec=float(position[1]),
        width_arcsec=float(size[0]) if is_box else None,
        height_arcsec=float(size[1]) if is_box else None,
        n_volunteers=n_volunteers,
        n_asked=given.n_asked,
        volunteer=volunteer,
        scatter_arcsec=scatter_arcsec,
    )


# Frames -------------------------------------------------------------------------------------
def _carried(spots: Sequence[MarkedSpot], place: Assignment) -> list[MarkedSpot]:
    """Carry spots from a prototype's frame into that of one of its members."""
    positions = np.array([(spot.x_arcsec, spot.y_arcsec) for spot in spots]).reshape(-1, 2)
    moved = positions_to_member(positions, place.angle_rad, place.is_flipped)
    angle_deg = float(np.degrees(angles_to_member(0.0, place.angle_rad, place.is_flipped)))
    return [
        replace(
            spot,
            x_arcsec=float(x),
            y_arcsec=float(y),
            angle_deg=angle_deg if spot.shape == "box" else 0.0,
            prototype=place.prototype,
        )
        for spot, (x, y) in zip(spots, moved, strict=True)
    ]


def _on_the_sky(spots: Sequence[MarkedSpot], subject: Subject) -> list[MarkedSpot]:
    offsets = np.array([(spot.x_arcsec, spot.y_arcsec) for spot in spots]).reshape(-1, 2)
    ra_deg, dec_deg = sky_positions(offsets, subject.ra_deg, subject.dec_deg)
    return [
        replace(spot, ra_deg=float(ra), dec_deg=float(dec))
        for spot, ra, dec in zip(spots, ra_deg, dec_deg, strict=True)
    ]
