"""Reads the pixels of subjects and answers with them as FITS; sorting uses it for its own."""

import gzip
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from numpy.typing import NDArray

from protozoo.subjects.answers import kept_answer, version_of
from protozoo.subjects.exceptions import PictureMissingError
from protozoo.subjects.models import Subject
from protozoo.surveys.models import Survey
from skysort.errors import InputError
from skysort.images.fits_bytes import fits_bytes
from skysort.images.shards import ShardReader
from skysort.images.turning import turn_image

Pixels: TypeAlias = NDArray[np.float32]
Cards: TypeAlias = dict[str, tuple[object, str]]

# More makes noisy pixels hardly any smaller and takes many times as long.
GZIP_LEVEL: Final = 4


def subject_version(subject: Subject) -> str:
    """Tell one state of a subject's pixels from another."""
    return version_of(subject.survey_id, subject.shard, subject.row)


def subject_pixels_url(subject: Subject) -> str:
    """Give the address under which browsers may keep the pixels for good."""
    return f"{reverse('subject-pixels', args=[subject.pk])}?v={subject_version(subject)}"


# Reading ------------------------------------------------------------------------------------
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


def _shards(survey: Survey) -> ShardReader:
    folder = survey.shard_folder
    return _shards_of(folder, (folder / "manifest.json").stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _shards_of(folder: Path, changed_at: int) -> ShardReader:
    """Open a survey's shards once for each process and state of the manifest."""
    return ShardReader(folder)


# FITS ---------------------------------------------------------------------------------------
def subject_fits(subject: Subject, *, angle_rad: float = 0.0, is_flipped: bool = False) -> bytes:
    """Write a subject's pixels, turned into another frame if asked."""
    pixels = turn_image(subject_pixels(subject), angle_rad=angle_rad, flip=is_flipped)
    cards: Cards = {
        "OBJECT": (subject.identifier, ""),
        "RA": (subject.ra_deg, "[deg] ICRS, of the middle"),
        "DEC": (subject.dec_deg, "[deg] ICRS, of the middle"),
        **offset_cards(subject.survey, pixels),
    }
    if angle_rad or is_flipped:
        cards["FLIPPED"] = (is_flipped, "mirrored left-right first")
        cards["TURNED"] = (float(np.degrees(angle_rad)), "[deg] then counter-clockwise by so much")
    return fits_bytes(pixels, cards)


def offset_cards(survey: Survey, pixels: Pixels) -> Cards:
    """Tell positions in the picture as offsets from its middle; none without a pixel scale."""
    if survey.pixel_scale_arcsec is None:
        return {}
    cards: Cards = {}
    for axis, name, size in ((1, "to the right", pixels.shape[2]), (2, "upwards", pixels.shape[1])):
        cards[f"CRPIX{axis}"] = ((size + 1) / 2, "the middle")
        cards[f"CRVAL{axis}"] = (0.0, "offset there")
        cards[f"CDELT{axis}"] = (survey.pixel_scale_arcsec / 3600, f"[deg] offset {name}")
        cards[f"CUNIT{axis}"] = ("deg", "")
    return cards


def pixels_answer(
    request: HttpRequest, *, version: str, write: Callable[[], bytes]
) -> HttpResponseBase:
    """Answer with a FITS file, packed where the reader can unpack it."""
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "").lower()

    def make() -> HttpResponse:
        file = write()
        content = gzip.compress(file, GZIP_LEVEL, mtime=0) if is_packed else file
        answer = HttpResponse(content, content_type="image/fits")
        if is_packed:
            answer["Content-Encoding"] = "gzip"
        return answer

    form = "fits.gz" if is_packed else "fits"
    answer = kept_answer(request, version=version, form=form, make=make)
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer
