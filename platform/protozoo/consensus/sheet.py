"""The clickable sheet of a map: where each prototype is drawn and what its overlays show."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from protozoo.consensus.charts import heat
from protozoo.consensus.labels import Label, Labels
from protozoo.consensus.models import ItemPosterior
from protozoo.sorting.layout import center, extent
from protozoo.sorting.models import Prototype, Sorting
from protozoo.sorting.pictures import prototype_picture_url

# Units of the drawing for the width of one prototype, and the gap around it.
UNIT: Final = 100
GAP: Final = 2
# Hexagons touch when they are 2 / sqrt(3) as high as wide; so much stands out above and below.
HEXAGON_OVERHANG: Final = UNIT * (1 / math.sqrt(3) - 0.5)
# The bar of hits spans the picture when a prototype has the most members of all.
BAR: Final = UNIT - 12
# A name longer than this does not fit below a picture.
LONGEST_BADGE: Final = 11

OVERLAYS: Final = {
    "class": _("Class"),
    "hits": _("Hits"),
    "umatrix": _("U-matrix"),
    "entropy": _("Entropy"),
    "pictures": _("Pictures only"),
}


@dataclass(frozen=True)
class Cell:
    """One prototype on the sheet."""

    prototype: Prototype
    posterior: ItemPosterior | None
    label: Label | None
    probability: float | None
    url: str
    picture_url: str
    x: str
    y: str
    hits_bar: str
    umatrix_color: str
    entropy_color: str | None
    description: str
    badge: str


@dataclass(frozen=True)
class Sheet:
    """All prototypes of a map, ready to be drawn."""

    cells: Sequence[Cell]
    width: str
    height: str
    is_hexagonal: bool
    lowest_umatrix: float
    highest_umatrix: float
    highest_entropy: float


def sheet_of(
    sorting: Sorting,
    prototypes: Sequence[Prototype],
    posteriors: Mapping[int, ItemPosterior],
    labels: Labels | None,
) -> Sheet:
    """Lay a map's prototypes out."""
    width, height = (UNIT * edge for edge in extent(sorting))
    overhang = HEXAGON_OVERHANG if sorting.topology == "hexagonal" else 0.0
    distances = [prototype.neighbour_distance for prototype in prototypes] or [0.0]
    most = max((prototype.n_members for prototype in prototypes), default=0)
    highest_entropy = math.log2(max(2, len(labels.classes))) if labels else 1.0
    return Sheet(
        cells=[
            _cell(
                prototype,
                posteriors.get(prototype.pk),
                labels,
                hits=prototype.n_members / most if most else 0.0,
                umatrix=_share(prototype.neighbour_distance, min(distances), max(distances)),
                highest_entropy=highest_entropy,
                overhang=overhang,
            )
            for prototype in prototypes
        ],
        width=f"{width:.0f}",
        height=f"{height + 2 * overhang:.0f}",
        is_hexagonal=sorting.topology == "hexagonal",
        lowest_umatrix=min(distances),
        highest_umatrix=max(distances),
        highest_entropy=highest_entropy,
    )


def _cell(
    prototype: Prototype,
    posterior: ItemPosterior | None,
    labels: Labels | None,
    *,
    hits: float,
    umatrix: float,
    highest_entropy: float,
    overhang: float,
) -> Cell:
    x, y = center(prototype.sorting, prototype.row, prototype.column)
    label = labels.of(posterior.label) if labels is not None and posterior is not None else None
    probability = posterior.probabilities.get(posterior.label) if posterior else None
    return Cell(
        prototype=prototype,
        posterior=posterior,
        label=label,
        probability=probability,
        url=reverse("prototype", args=[prototype.pk]),
        picture_url=prototype_picture_url(prototype, size=128),
        x=f"{(x - 0.5) * UNIT:.1f}",
        y=f"{(y - 0.5) * UNIT + overhang:.1f}",
        hits_bar=f"{BAR * hits:.1f}",
        umatrix_color=heat(umatrix),
        entropy_color=heat(posterior.entropy_bits / highest_entropy) if posterior else None,
        description=_description(prototype, label, probability),
        badge=badge_of(label, labels.all) if label and labels else "",
    )


def badge_of(label: Label, others: Sequence[Label]) -> str:
    """Call a class by its name, by the first word if no other begins so, or by its key."""
    name = str(label)
    if len(name) <= LONGEST_BADGE:
        return name
    word = name.split()[0]
    is_own = all(str(other).split()[0] != word for other in others if other.key != label.key)
    return word if is_own and len(word) <= LONGEST_BADGE else label.key.capitalize()


def _description(prototype: Prototype, label: Label | None, probability: float | None) -> str:
    n = prototype.n_members
    members = ngettext("%(n)d member", "%(n)d members", n) % {"n": n} if n else _("no members")
    said = f"{prototype}: {members}"
    if label is None:
        return said
    certain = "" if probability is None else f" ({probability:.0%})"
    return f"{said}, {label}{certain}"


def _share(value: float, lowest: float, highest: float) -> float:
    return (value - lowest) / (highest - lowest) if highest > lowest else 0.0
