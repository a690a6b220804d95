"""Draws prototypes, whole maps, and members turned into their prototype's frame."""

from typing import Final

import numpy as np
from django.urls import reverse

from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.sorting.pixels import member_version, prototypes_pixels, sorting_version
from protozoo.subjects.pictures import PictureRequest, draw_subject
from protozoo.subjects.pixels import Pixels
from skysort.images.render import render_png, render_sheet

# A prototype is the mean of images that the survey's recipe has stretched already.
PROTOTYPE_STRETCH: Final = "linear"


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
    pixels = _black_sky(prototypes_pixels(prototype.sorting)[prototype.unit])
    return render_png(pixels, size=asked.size, stretch=asked.stretch)


def draw_member(member: Assignment, asked: PictureRequest) -> bytes:
    return draw_subject(
        member.subject, asked, angle_rad=member.angle_rad, is_flipped=member.is_flipped
    )


def draw_sheet(sorting: Sorting, asked: PictureRequest) -> bytes:
    """Draw all prototypes of a map on one sheet."""
    pictures = _black_sky(prototypes_pixels(sorting))
    grid = pictures.reshape(sorting.rows, sorting.columns, *pictures.shape[1:])
    tile = max(8, asked.size // max(sorting.rows, sorting.columns))
    return render_sheet(grid, size=tile, stretch=asked.stretch)


def _black_sky(pictures: Pixels) -> Pixels:
    """Cut what turning has made negative; prepared images never are, and the sky is black."""
    return np.maximum(pictures, 0.0)
