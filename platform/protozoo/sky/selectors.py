"""Finds rows with a position inside a cone."""

from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

import numpy as np
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from protozoo.exceptions import ProtoZooError
from protozoo.sky.positions import cone_ranges, separation_arcsec

# A cone with more rows than this gives the nearest ones: SQLite takes no longer list of keys.
MAX_ROWS: Final = 20_000
# Rows whose distance is computed at once.
CHUNK: Final = 20_000

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
                _(
                    "A cone needs a right ascension from -360 to 360, a declination from -90 to 90"
                    " and a radius from 0 to 180 degrees; got %(ra)s, %(dec)s, %(radius)s."
                )
                % {"ra": ra_deg, "dec": dec_deg, "radius": radius_deg}
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
    return rows.filter(pk__in=_nearest_keys(rows.filter(covered), cone))


def _nearest_keys(rows: QuerySet[Row], cone: Cone) -> list[int]:
    """Give the keys of the nearest rows in a cone; however wide, only a part is in memory."""
    keys, apart = np.empty(0, np.int64), np.empty(0)
    found = rows.values_list("pk", "ra_deg", "dec_deg").iterator(chunk_size=CHUNK)
    while part := list(islice(found, CHUNK)):
        pk, ra_deg, dec_deg = (np.array(column) for column in zip(*part, strict=True))
        distance = separation_arcsec(ra_deg, dec_deg, cone.ra_deg, cone.dec_deg)
        inside = distance <= cone.radius_deg * 3600
        keys, apart = np.r_[keys, pk[inside]], np.r_[apart, distance[inside]]
        nearest = np.argsort(apart, kind="stable")[:MAX_ROWS]
        keys, apart = keys[nearest], apart[nearest]
    return [int(key) for key in keys]
