"""Draws prototypes, whole maps, and members turned into their prototype's frame."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from django.urls import reverse

from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.subjects.exceptions import PictureMissingError
from protozoo.subjects.pictures import (
    PictureRequest,
    Pixels,
    draw_subject,
    picture_version,
    subject_version,
)
from skysort.images.render import render_png, render_sheet

# A prototype is the mean of images that the survey's recipe has stretched already.
PROTOTYPE_STRETCH: Final = "linear"


def sorting_version(sorting: Sorting) -> str:
    """Tell one training of a map from another."""
    return picture_version(sorting.pk, sorting.map_checksum, sorting.finished_at)


def member_version(member: Assignment) -> str:
    return picture_version(subject_version(member.subject), member.angle_rad, member.is_flipped)


def prototype_picture_url(prototype: Prototype, *, size: int = 256) -> str:
    address = reverse("prototype-picture", args=[prototype.pk])
    return f"{address}?size={size}&v={sorting_version(prototype.sorting)}"


def member_picture_url(member: Assignment, *, size: int = 256) -> str:
    address = reverse("member-picture", args=[member.pk])
    return f"{address}?size={size}&v={member_version(member)}"


def sorting_picture_url(sorting: Sorting, *, size: int = 512) -> str:
    address = reverse("sorting-picture", args=[sorting.pk])
    return f"{address}?size={size}&v={sorting_version(sorting)}"


def draw_prototype(prototype: Prototype, asked: PictureRequest) -> bytes:
    pixels = _black_sky(_pictures(prototype.sorting)[prototype.unit])
    return render_png(pixels, size=asked.size, stretch=asked.stretch)


def draw_member(member: Assignment, asked: PictureRequest) -> bytes:
    return draw_subject(
        member.subject, asked, angle_rad=member.angle_rad, is_flipped=member.is_flipped
    )


def draw_sheet(sorting: Sorting, asked: PictureRequest) -> bytes:
    """Draw all prototypes of a map on one sheet."""
    pictures = _black_sky(_pictures(sorting))
    grid = pictures.reshape(sorting.rows, sorting.columns, *pictures.shape[1:])
    tile = max(8, asked.size // max(sorting.rows, sorting.columns))
    return render_sheet(grid, size=tile, stretch=asked.stretch)


def _black_sky(pictures: Pixels) -> Pixels:
    """Cut what turning has made negative; prepared images never are, and the sky is black."""
    return np.maximum(pictures, 0.0)


def _pictures(sorting: Sorting) -> Pixels:
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
