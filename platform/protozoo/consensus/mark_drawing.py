"""Draws marks over a picture as SVG: only attributes, no styles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from protozoo.voting.marked import MarkedPicture, MarkedSpot

# Units along the side of a picture's drawing.
SIDE: Final = 512
# The style sheet knows so many colors.
MAX_NUMBER: Final = 8


@dataclass(frozen=True)
class DrawnMark:
    """A spot and where it lies in the drawing, y down."""

    spot: MarkedSpot
    number: int
    x: str
    y: str
    left: str
    top: str
    width: str
    height: str
    turn: str


@dataclass(frozen=True)
class MarkDrawing:
    """What a picture's page shows of its marks."""

    agreed: Sequence[DrawnMark]
    marks: Sequence[DrawnMark]
    side: int = SIDE

    @property
    def has_inherited(self) -> bool:
        return any(mark.spot.prototype for mark in self.marks)

    @property
    def is_on_the_sky(self) -> bool:
        return any(mark.spot.ra_deg is not None for mark in self.marks)


def mark_drawing(picture: MarkedPicture) -> MarkDrawing | None:
    """Lay out a picture's marks; nothing for a picture without any."""
    if not picture.marks:
        return None
    unit = SIDE / 2 / picture.half_arcsec
    return MarkDrawing(
        agreed=[_drawn(spot, unit) for spot in picture.agreed],
        marks=[_drawn(spot, unit) for spot in picture.marks],
    )


def _drawn(spot: MarkedSpot, unit: float) -> DrawnMark:
    x, y = SIDE / 2 + spot.x_arcsec * unit, SIDE / 2 - spot.y_arcsec * unit
    width, height = (spot.width_arcsec or 0.0) * unit, (spot.height_arcsec or 0.0) * unit
    return DrawnMark(
        spot=spot,
        number=min(spot.role_number, MAX_NUMBER),
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        left=f"{x - width / 2:.1f}",
        top=f"{y - height / 2:.1f}",
        width=f"{width:.1f}",
        height=f"{height:.1f}",
        # SVG turns clockwise, for its y points down.
        turn=f"rotate({-spot.angle_deg:.2f} {x:.1f} {y:.1f})",
    )
