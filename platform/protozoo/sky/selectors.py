"""Finds rows with a position inside a cone."""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from django.db.models import Model, Q, QuerySet

from protozoo.exceptions import ProtoZooError
from protozoo.sky.positions import cone_ranges, separation_arcsec

# A cone with more rows than this gives the nearest ones: SQLite takes no longer list of keys.
MAX_ROWS: Final = 20_000

Row = TypeVar("Row", bound=Model)


class ConeError(ProtoZooError):
    """A cone that is none."""

    code = "cone"


@dataclass(frozen=True)
class Cone:
    """A circle on the sky: ICRS center and radius in degrees."""

    ra_deg: float
    dec_deg: float
    radius_deg: float

    @classmethod
    def parse(cls, text: str) -> "Cone":
        """Read 'ra,dec,radius' in degrees."""
        try:
            ra, dec, radius = (float(part) for part in text.split(","))
        except ValueError as error:
            raise ConeError(
                f"A cone is 'ra,dec,radius' in degrees, such as '185.0,12.5,0.1'; got {text!r}."
            ) from error
        return cls.of(ra, dec, radius)

    @classmethod
    def of(cls, ra_deg: float, dec_deg: float, radius_deg: float) -> "Cone":
        """Check the numbers and make the cone."""
        if not (-90 <= dec_deg <= 90 and -360 <= ra_deg <= 360 and 0 <= radius_deg <= 180):
            raise ConeError(
                "A cone needs a right ascension from -360 to 360, a declination from -90 to 90"
                f" and a radius from 0 to 180 degrees; got {ra_deg}, {dec_deg}, {radius_deg}."
            )
        return cls(ra_deg % 360, dec_deg, radius_deg)


def rows_in_cone(rows: QuerySet[Row], cone: Cone) -> QuerySet[Row]:
    """Keep the rows whose fields ra_deg, dec_deg and healpix lie inside the cone."""
    ranges = cone_ranges(cone.ra_deg, cone.dec_deg, cone.radius_deg)
    if not ranges:
        return rows.none()
    covered = Q()
    for first, last in ranges:
        covered |= Q(healpix__range=(first, last))
    near: list[tuple[Any, ...]] = list(rows.filter(covered).values_list("pk", "ra_deg", "dec_deg"))
    if not near:
        return rows.none()
    keys, ra_deg, dec_deg = (np.array(column) for column in zip(*near, strict=True))
    apart = separation_arcsec(ra_deg, dec_deg, cone.ra_deg, cone.dec_deg)
    nearest = np.argsort(apart, kind="stable")[:MAX_ROWS]
    inside = keys[nearest[apart[nearest] <= cone.radius_deg * 3600]]
    return rows.filter(pk__in=inside.tolist())
