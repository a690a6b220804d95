"""Turns survey files into a stream of candidates: rows that may become subjects.

A candidate has pixels, a way to read them, or a reason why it has none, so one bad row never stops
the rest, and what is imported already is not read again.
"""

import glob
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from protozoo.jobs.services import Report, silent
from protozoo.sky.positions import is_near
from protozoo.subjects.exceptions import ImportRequestError
from skysort.errors import InputError
from skysort.images.detection import detect_sources
from skysort.images.mosaics import cutouts, open_mosaic
from skysort.images.sources import ImageSource, conform, open_images
from skysort.images.tables import SourceTable, read_table

Pixels = NDArray[np.float32]

# Columns of a table that may name the file of each row's image, in order of preference.
FILE_COLUMNS: Final = ("file", "filename", "file_name", "image", "path", "cutout")
# Two detections closer than this many pixels, in overlapping mosaics, are one source.
SAME_SOURCE_PIXELS: Final = 3.0
# Cutouts of one mosaic are made this many at a time, to bound memory.
CUTOUTS_AT_ONCE: Final = 2048


@dataclass(frozen=True)
class Candidate:
    """One row of a survey; `reason` says why it cannot become a subject."""

    row_number: int | None
    identifier: str
    ra_deg: float = np.nan
    dec_deg: float = np.nan
    columns: dict[str, Any] = field(default_factory=dict)
    pixels: Pixels | None = None  # (C, H, W)
    read: Callable[[], Pixels] | None = None
    origin: str = ""
    reason: str = ""

    def with_pixels(self) -> "Candidate":
        """Read the pixels if that is still to be done; why they cannot be read is the reason."""
        if self.read is None:
            return self
        try:
            return replace(self, pixels=self.read(), read=None)
        except InputError as error:
            return replace(self, reason=str(error), read=None)


@dataclass(frozen=True)
class Candidates:
    """A stream of candidates, how many there will be, and how large a pixel is on the sky."""

    stream: Iterator[Candidate]
    total: int
    pixel_scale_arcsec: float | None = None


def from_images(images: Path, table: Path, *, size: int, id_column: str | None) -> Candidates:
    """Pair the rows of a table with a folder, cube or HDF5 file of images."""
    rows = read_table(table, id_column=id_column)
    source = open_images(images)
    places = _image_of_row(rows, source, images=images, table=table)
    return Candidates(_read_images(rows, source, places, images, size), len(rows.ids))


def from_mosaics(
    pattern: str, table: Path, *, size: int, id_column: str | None, report: Report = silent
) -> Candidates:
    """Cut out every row of a table from the first mosaic that holds it."""
    rows = read_table(table, id_column=id_column)
    wanted = Wanted(
        identifiers=list(rows.ids),
        ra_deg=np.asarray(rows.ra_deg, dtype=np.float64),
        dec_deg=np.asarray(rows.dec_deg, dtype=np.float64),
        columns=list(rows.extra),
        row_numbers=[int(number) for number in rows.row_numbers],
    )
    paths = _mosaic_paths(pattern)
    scale, broken = _look_over(paths, report)
    stream = _cut_out(wanted, [path for path in paths if path not in broken], size)
    return Candidates(_chain(broken, stream), len(rows.ids) + len(broken), scale)


def from_detection(
    pattern: str, *, size: int, n_sigma: float, report: Report = silent
) -> Candidates:
    """Find the sources of every mosaic, once each, and cut them out."""
    paths = _mosaic_paths(pattern)
    scale, broken = _look_over(paths, report)
    wanted = Wanted.none()
    for number, path in enumerate(paths):
        report(number, len(paths), f"looking for sources in {path.name}")
        if path not in broken:
            mosaic = open_mosaic(path)
            wanted = wanted.with_new(
                detect_sources(mosaic, n_sigma=n_sigma),
                same_source_arcsec=SAME_SOURCE_PIXELS * mosaic.pixel_scale_arcsec,
            )
    stream = _cut_out(wanted, [path for path in paths if path not in broken], size)
    return Candidates(_chain(broken, stream), len(wanted.identifiers) + len(broken), scale)


@dataclass(frozen=True)
class Wanted:
    """Positions to be cut out, and what is known of each."""

    identifiers: list[str]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    columns: list[dict[str, Any]]
    row_numbers: list[int]

    @classmethod
    def none(cls) -> "Wanted":
        """Begin with nothing."""
        return cls([], np.empty(0), np.empty(0), [], [])

    def with_new(self, found: Table, *, same_source_arcsec: float) -> "Wanted":
        """Add the detections that are not here yet from an overlapping mosaic."""
        is_known = is_near(
            found["ra"],
            found["dec"],
            self.ra_deg,
            self.dec_deg,
            radius_arcsec=same_source_arcsec,
        )
        new = found[~is_known]
        first = len(self.identifiers) + 1
        measured = [name for name in new.colnames if name not in {"id", "ra", "dec"}]
        return Wanted(
            self.identifiers + [str(name) for name in new["id"]],
            np.concatenate([self.ra_deg, np.asarray(new["ra"], dtype=np.float64)]),
            np.concatenate([self.dec_deg, np.asarray(new["dec"], dtype=np.float64)]),
            self.columns + [{name: float(row[name]) for name in measured} for row in new],
            self.row_numbers + list(range(first, first + len(new))),
        )


def _mosaic_paths(pattern: str) -> list[Path]:
    paths = sorted(Path(name) for name in glob.glob(pattern, recursive=True))  # noqa: PTH207
    if not paths:
        raise ImportRequestError(f"No file matches the mosaics {pattern!r}; check the pattern.")
    return paths


def _look_over(paths: list[Path], report: Report) -> tuple[float | None, dict[Path, str]]:
    """Give the pixel scale of the first usable mosaic, and why others cannot be used."""
    scale: float | None = None
    broken: dict[Path, str] = {}
    for number, path in enumerate(paths):
        report(number, len(paths), f"opening {path.name}")
        try:
            mosaic = open_mosaic(path)
        except InputError as error:
            broken[path] = str(error)
        else:
            scale = mosaic.pixel_scale_arcsec if scale is None else scale
    return scale, broken


def _chain(broken: dict[Path, str], stream: Iterator[Candidate]) -> Iterator[Candidate]:
    for path, reason in broken.items():
        yield Candidate(row_number=None, identifier="", origin=path.name, reason=reason)
    yield from stream


def _cut_out(wanted: Wanted, paths: list[Path], size: int) -> Iterator[Candidate]:
    has_position = np.isfinite(wanted.ra_deg) & np.isfinite(wanted.dec_deg)
    for row in np.flatnonzero(~has_position):
        yield _candidate(wanted, int(row), reason="The row has no usable position.")
    open_rows = np.flatnonzero(has_position)
    for path in paths:
        mosaic = open_mosaic(path)
        cut = np.zeros(len(open_rows), dtype=bool)
        for start in range(0, len(open_rows), CUTOUTS_AT_ONCE):
            chosen = open_rows[start : start + CUTOUTS_AT_ONCE]
            pixels, inside = cutouts(mosaic, wanted.ra_deg[chosen], wanted.dec_deg[chosen], size)
            cut[start : start + len(chosen)] = inside
            for place in np.flatnonzero(inside):
                yield _candidate(
                    wanted, int(chosen[place]), pixels=pixels[place][np.newaxis], origin=path.name
                )
        open_rows = open_rows[~cut]
    for row in open_rows:
        yield _candidate(wanted, int(row), reason="The position lies outside every mosaic.")


def _candidate(
    wanted: Wanted, row: int, *, pixels: Pixels | None = None, origin: str = "", reason: str = ""
) -> Candidate:
    return Candidate(
        row_number=wanted.row_numbers[row],
        identifier=wanted.identifiers[row],
        ra_deg=float(wanted.ra_deg[row]),
        dec_deg=float(wanted.dec_deg[row]),
        columns=wanted.columns[row],
        pixels=pixels,
        origin=origin,
        reason=reason,
    )


def _image_of_row(
    rows: SourceTable, source: ImageSource, *, images: Path, table: Path
) -> list[int | None]:
    """Find each row's image: by a file column, by its id, or by its place in the table."""
    place_of = {name: place for place, name in enumerate(source.names)}
    named = _file_column(rows, source, place_of)
    if named is not None:
        wanted = [Path(str(extra[named])).name if extra[named] else "" for extra in rows.extra]
        return [place_of.get(name, place_of.get(_stem(name))) for name in wanted]
    is_numbered = source.is_ordered and len(source) == len(rows.ids)
    if is_numbered and set(rows.ids) != set(source.names):
        # Ids that merely look like numbers, such as 1 to n, must not shift the images by one.
        return list(range(len(source)))
    if any(identifier in place_of for identifier in rows.ids):
        return [place_of.get(identifier) for identifier in rows.ids]
    raise ImportRequestError(
        f"The rows of {table} and the images of {images} cannot be paired: no id equals the name"
        f" of an image, and there are {len(rows.ids)} rows and {len(source)} images. Name each"
        f" row's image in a column called 'file'."
    )


def _file_column(rows: SourceTable, source: ImageSource, place_of: Mapping[str, int]) -> str | None:
    """Find the column that names each row's image: by its name, or by what stands in it.

    A manifest of Zooniverse may call it anything; of several images of a row the first is taken,
    and the others stay among its columns.
    """
    names = list(rows.extra[0]) if rows.extra else []
    by_name = next((name for name in FILE_COLUMNS if name in names), None)
    if by_name is not None or source.is_ordered:
        return by_name

    def is_file(value: object) -> bool:
        found = Path(value).name if isinstance(value, str) else ""
        return "." in found and (found in place_of or _stem(found) in place_of)

    return next((name for name in names if any(is_file(row[name]) for row in rows.extra)), None)


def _stem(name: str) -> str:
    for suffix in (".gz", ".fz"):
        name = name.removesuffix(suffix)
    return Path(name).stem


def _read_images(
    rows: SourceTable,
    source: ImageSource,
    places: list[int | None],
    images: Path,
    size: int,
) -> Iterator[Candidate]:
    for row, place in enumerate(places):
        known = Candidate(
            row_number=int(rows.row_numbers[row]),
            identifier=rows.ids[row],
            ra_deg=float(rows.ra_deg[row]),
            dec_deg=float(rows.dec_deg[row]),
            columns=rows.extra[row],
            origin=images.name if place is None else f"{images.name}: {source.names[place]}",
        )
        if not (np.isfinite(known.ra_deg) and np.isfinite(known.dec_deg)):
            yield replace(known, reason="The row has no usable position.")
        elif place is None:
            yield replace(known, reason=f"There is no image for this row in {images.name}.")
        else:
            yield replace(known, read=partial(_read, source, place, size))


def _read(source: ImageSource, place: int, size: int) -> Pixels:
    return conform(source.read(place), size)
