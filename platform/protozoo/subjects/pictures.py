"""Draws cutouts for the eye and answers with them; sorting uses it for its pictures too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from numpy.typing import NDArray

from protozoo.exceptions import ProtoZooError
from protozoo.subjects.exceptions import PictureMissingError, PictureRequestError
from protozoo.subjects.models import Subject
from protozoo.surveys.models import Survey
from skysort.errors import InputError
from skysort.images.render import render_png
from skysort.images.shards import ShardReader

Pixels: TypeAlias = NDArray[np.float32]

# Part of every picture's version: a change in how pictures are drawn must change it.
DRAWING: Final = "1"
# Edges in pixels. Few, so that few versions of a picture fill the caches between us and a reader.
SIZES: Final = (64, 128, 192, 256, 512, 768)
STRETCHES: Final = ("sqrt", "linear", "asinh", "log")
YEAR_S: Final = 60 * 60 * 24 * 365
# An address without the current version may show something else soon.
UNVERSIONED_S: Final = 60
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


def picture_version(*parts: object) -> str:
    """Shorten what a picture depends on to a word for its address."""
    said = "\0".join(str(part) for part in (DRAWING, *parts))
    return sha256(said.encode()).hexdigest()[:12]


def subject_version(subject: Subject) -> str:
    """Tell one state of a subject's pixels from another."""
    return picture_version(subject.survey_id, subject.shard, subject.row)


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
        etag = quote_etag(picture_version(version, asked.size, asked.stretch))
        answer = get_conditional_response(request, etag=etag)
        if answer is None:
            answer = HttpResponse(draw(asked), content_type="image/png", headers={"ETag": etag})
    except ProtoZooError as error:
        return HttpResponse(
            str(error), status=error.status, content_type="text/plain; charset=utf-8"
        )
    if request.GET.get("v") == version:
        answer["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        answer["Cache-Control"] = f"public, max-age={UNVERSIONED_S}"
    return answer


def draw_subject(
    subject: Subject, asked: PictureRequest, *, angle_rad: float = 0.0, is_flipped: bool = False
) -> bytes:
    """Draw a subject's cutout, turned into another frame if asked."""
    pixels = for_the_eye(subject_pixels(subject))
    return render_png(
        pixels, size=asked.size, stretch=asked.stretch, angle_rad=angle_rad, flip=is_flipped
    )


def subject_pixels(subject: Subject) -> Pixels:
    """Read a subject's raw pixels (channels, height, width)."""
    try:
        reader = _shards(subject.survey)
        pixels: Pixels = reader.read(np.array([[subject.shard, subject.row]]))[0]
    except (InputError, OSError, IndexError) as error:
        raise PictureMissingError(
            f"The pixels of {subject.identifier} cannot be read from the storage of this site. If"
            f" an import of survey {subject.survey.slug} was interrupted, importing again mends it."
        ) from error
    return pixels


def for_the_eye(pixels: Pixels) -> Pixels:
    """Take the background away and cut at the noise, so that a faint source stands out."""
    finite = np.where(np.isfinite(pixels), pixels, np.nan)
    if not np.isfinite(finite).any():
        return np.zeros_like(pixels)
    background = np.nanmedian(finite, axis=(1, 2), keepdims=True)
    noise = 1.4826 * np.nanmedian(np.abs(finite - background), axis=(1, 2), keepdims=True)
    above = np.nan_to_num(finite - background - FLOOR_SIGMA * noise)
    return np.asarray(above.clip(0.0), dtype=np.float32)


def _shards(survey: Survey) -> ShardReader:
    folder = survey.shard_folder
    return _shards_of(folder, (folder / "manifest.json").stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _shards_of(folder: Path, changed_at: int) -> ShardReader:
    """Open a survey's shards once for each process and state of the manifest."""
    return ShardReader(folder)
