"""Reads the pixels of prototypes, and turns those of members into their prototype's frame."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from django.urls import reverse

from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.subjects.answers import version_of
from protozoo.subjects.exceptions import PictureMissingError
from protozoo.subjects.pixels import Pixels, offset_cards, subject_fits, subject_version
from skysort.images.fits_bytes import fits_bytes
from skysort.images.recipes import get_recipe


def sorting_version(sorting: Sorting) -> str:
    """Tell one training of a map from another."""
    return version_of(sorting.pk, sorting.map_checksum, sorting.finished_at)


def member_version(member: Assignment) -> str:
    return version_of(subject_version(member.subject), member.angle_rad, member.is_flipped)


def prototype_pixels_url(prototype: Prototype) -> str:
    address = reverse("prototype-pixels", args=[prototype.pk])
    return f"{address}?v={sorting_version(prototype.sorting)}"


def member_pixels_url(member: Assignment) -> str:
    return f"{reverse('member-pixels', args=[member.pk])}?v={member_version(member)}"


def prototype_fits(prototype: Prototype) -> bytes:
    """Write a prototype's pixels with the curve that they went through before they were sorted."""
    sorting = prototype.sorting
    pixels = prototypes_pixels(sorting)[prototype.unit]
    return fits_bytes(
        pixels,
        {
            "OBJECT": (f"Prototype {prototype.row}, {prototype.column}", ""),
            "RECIPE": (sorting.recipe, "how its members were prepared"),
            "STRETCH": (get_recipe(sorting.recipe).stretch, "curve that the values went through"),
            **offset_cards(sorting.survey, pixels),
        },
    )


def member_fits(member: Assignment) -> bytes:
    return subject_fits(member.subject, angle_rad=member.angle_rad, is_flipped=member.is_flipped)


def prototypes_pixels(sorting: Sorting) -> Pixels:
    """Give the mean images of all prototypes (units, channels, height, width)."""
    path = sorting.pictures_path
    try:
        pictures = _pictures_of(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise PictureMissingError(
            f"The pictures of map {sorting.pk} are not in the storage of this site; they are"
            " written when its sorting is done."
        ) from error
    if len(pictures) != sorting.rows * sorting.columns:
        raise PictureMissingError(
            f"The file of pictures of map {sorting.pk} holds {len(pictures)} prototypes, the map"
            f" {sorting.rows * sorting.columns}; sort the survey again."
        )
    return pictures


@lru_cache(maxsize=16)
def _pictures_of(path: Path, changed_at: int) -> Pixels:
    """Map a sorting's pictures into memory once for each process and state of the file."""
    pictures: Pixels = np.load(path, mmap_mode="r")
    return pictures
