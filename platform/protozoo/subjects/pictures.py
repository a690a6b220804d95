"""Draws cutouts for the eye and answers with them; sorting uses it for its pictures too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from protozoo.subjects.answers import kept_answer, refusal
from protozoo.subjects.exceptions import PictureRequestError
from protozoo.subjects.models import Subject
from protozoo.subjects.pixels import Pixels, subject_pixels, subject_version
from skysort.images.render import render_png

# Edges in pixels. Few, so that few versions of a picture fill the caches between us and a reader.
SIZES: Final = (64, 128, 192, 256, 512, 768)
STRETCHES: Final = ("sqrt", "linear", "asinh", "log")
# Pixels fainter than this many times the noise are shown black.
FLOOR_SIGMA: Final = 2.0


@dataclass(frozen=True)
class PictureRequest:
    """How a picture is to be drawn."""

    size: int
    stretch: str

    @classmethod
    def parse(cls, query: Mapping[str, str], *, stretch: str = "sqrt") -> "PictureRequest":
        """Read `size` and `stretch` of an address."""
        size = query.get("size", "256")
        if size not in {str(known) for known in SIZES}:
            known = ", ".join(str(known) for known in SIZES)
            raise PictureRequestError(f"The size of a picture is one of {known}; got {size!r}.")
        stretch = query.get("stretch", stretch)
        if stretch not in STRETCHES:
            known = ", ".join(STRETCHES)
            raise PictureRequestError(f"The stretch is one of {known}; got {stretch!r}.")
        return cls(int(size), stretch)


def subject_picture_url(subject: Subject, *, size: int = 256, stretch: str = "sqrt") -> str:
    """Give the address under which browsers may keep the picture for good."""
    address = reverse("subject-picture", args=[subject.pk])
    shown = "" if stretch == "sqrt" else f"&stretch={stretch}"
    return f"{address}?size={size}{shown}&v={subject_version(subject)}"


def picture_answer(
    request: HttpRequest,
    *,
    version: str,
    draw: Callable[[PictureRequest], bytes],
    stretch: str = "sqrt",
) -> HttpResponseBase:
    """Answer with a picture, with 304 if the reader has it, or say what is wrong."""
    try:
        asked = PictureRequest.parse(request.GET, stretch=stretch)
    except PictureRequestError as error:
        return refusal(error)
    return kept_answer(
        request,
        version=version,
        form=f"{asked.size} {asked.stretch}",
        make=lambda: HttpResponse(draw(asked), content_type="image/png"),
    )


def draw_subject(
    subject: Subject, asked: PictureRequest, *, angle_rad: float = 0.0, is_flipped: bool = False
) -> bytes:
    """Draw a subject's cutout, turned into another frame if asked."""
    pixels = for_the_eye(subject_pixels(subject))
    return render_png(
        pixels, size=asked.size, stretch=asked.stretch, angle_rad=angle_rad, flip=is_flipped
    )


def for_the_eye(pixels: Pixels) -> Pixels:
    """Take the background away and cut at the noise, so that a faint source stands out."""
    finite = np.where(np.isfinite(pixels), pixels, np.nan)
    if not np.isfinite(finite).any():
        return np.zeros_like(pixels)
    background = np.nanmedian(finite, axis=(1, 2), keepdims=True)
    noise = 1.4826 * np.nanmedian(np.abs(finite - background), axis=(1, 2), keepdims=True)
    above = np.nan_to_num(finite - background - FLOOR_SIGMA * noise)
    return np.asarray(above.clip(0.0), dtype=np.float32)
