"""Finds subjects and their pixels' addresses."""

from dataclasses import dataclass

from astropy import units as u
from astropy.coordinates import Angle
from django.db.models import QuerySet

from protozoo.subjects.models import Subject


@dataclass(frozen=True)
class ExternalView:
    """A place elsewhere that shows the same piece of sky."""

    name: str
    url: str


def subjects() -> QuerySet[Subject]:
    return Subject.objects.select_related("survey")


def sexagesimal(subject: Subject) -> str:
    """Write a position as hours and degrees: 10 45 03.59 +59 41 04.3."""
    ra = Angle(subject.ra_deg * u.deg).to_string(unit=u.hour, sep=" ", precision=2, pad=True)
    dec = Angle(subject.dec_deg * u.deg).to_string(
        unit=u.deg, sep=" ", precision=1, pad=True, alwayssign=True
    )
    return f"{ra} {dec}"


def external_views(subject: Subject) -> list[ExternalView]:
    """Give the addresses of sky services for a subject's position."""
    ra, dec = f"{subject.ra_deg:.6f}", f"{subject.dec_deg:+.6f}"
    position = f"{ra}%20{dec.replace('+', '%2B')}"
    return [
        ExternalView(
            "Aladin Lite",
            f"https://aladin.cds.unistra.fr/AladinLite/?target={position}&fov=0.10",
        ),
        ExternalView(
            "SIMBAD",
            f"https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={position}"
            "&Radius=1&Radius.unit=arcmin",
        ),
        ExternalView(
            "VizieR", f"https://vizier.cds.unistra.fr/viz-bin/VizieR?-c={position}&-c.rs=30"
        ),
    ]
