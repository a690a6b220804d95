"""Tells the island that shows real pixels where those of a page's picture are."""

from typing import TypedDict

from django.utils.translation import gettext as _

from protozoo.sorting.models import Prototype
from protozoo.sorting.pictures import prototype_picture_url
from protozoo.sorting.pixels import prototype_pixels_url
from protozoo.subjects.models import Subject
from protozoo.subjects.pictures import subject_picture_url
from protozoo.subjects.pixels import subject_pixels_url

PICTURE_SIZE = 512


class ViewedPicture(TypedDict):
    """As the page on which volunteers answer has it, too."""

    url: str
    alt: str
    pixels_url: str
    scale_arcsec: float | None


class Viewer(TypedDict):
    picture: ViewedPicture


def viewer_of_subject(subject: Subject) -> Viewer:
    return Viewer(
        picture=ViewedPicture(
            url=subject_picture_url(subject, size=PICTURE_SIZE),
            alt=_("Cutout of %(name)s") % {"name": subject.identifier},
            pixels_url=subject_pixels_url(subject),
            scale_arcsec=subject.survey.pixel_scale_arcsec,
        )
    )


def viewer_of_prototype(prototype: Prototype) -> Viewer:
    return Viewer(
        picture=ViewedPicture(
            url=prototype_picture_url(prototype, size=PICTURE_SIZE),
            alt=_("Mean picture of this prototype's members"),
            pixels_url=prototype_pixels_url(prototype),
            scale_arcsec=prototype.sorting.survey.pixel_scale_arcsec,
        )
    )
