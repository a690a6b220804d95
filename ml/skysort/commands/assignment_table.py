"""The FITS table of assignments: where each image lies on a map, one row per image."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.images.fits_image import DAMAGE
from skysort.images.whole_file import write_whole

__all__ = ["AssignmentTable", "Column", "read_hits", "write_table"]

EXTENSION: Final = "ASSIGNMENTS"


@dataclass(frozen=True)
class Column:
    """A column: its name, values (N,) or (N, K), what it says, and its unit."""

    name: str
    values: NDArray[Any]
    comment: str
    unit: str | None = None


@dataclass(frozen=True)
class AssignmentTable:
    """What a table of assignments says.

    Attributes
    ----------
    places : ndarray (K, 2), int64
        Row and column of each unit.
    best, second : ndarray (N,), int64
        Units.
    distance, second_distance : ndarray (N,), float32
        Of the image from these units.
    outlier_score, outlier_rank : ndarray (N,)
        See `skysort.som.outliers`.
    angle_rad : ndarray (N,), float32, optional
        How the image is turned, after it was mirrored if `flip` says so; left out with `flip`
        where it is not known.
    flip : ndarray (N,), bool, optional
        Whether it is mirrored left-right.
    outlier_group : ndarray (N,), int64, optional
        Strangest of the image's duplicates; left out where images were not compared.
    """

    places: NDArray[np.int64]
    best: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: NDArray[np.float32]
    second_distance: NDArray[np.float32]
    outlier_score: NDArray[np.float64]
    outlier_rank: NDArray[np.int64]
    angle_rad: NDArray[np.float32] | None = None
    flip: NDArray[np.bool_] | None = None
    outlier_group: NDArray[np.int64] | None = None

    def columns(self) -> list[Column]:
        """Give the columns in their order."""
        best, second = self.places[self.best], self.places[self.second]
        columns = [
            Column("index", np.arange(len(self.best)), "number of the image, from 0"),
            Column("row", best[:, 0].astype(np.int32), "row of the best prototype"),
            Column("column", best[:, 1].astype(np.int32), "column of the best prototype"),
            Column("second_row", second[:, 0].astype(np.int32), "row of the second best"),
            Column("second_column", second[:, 1].astype(np.int32), "column of the second best"),
            Column("distance", self.distance, "Euclidean, from the best prototype"),
            Column("second_distance", self.second_distance, "Euclidean, from the second best"),
        ]
        if self.angle_rad is not None and self.flip is not None:
            degrees = np.degrees(self.angle_rad.astype(np.float64)).astype(np.float32)
            columns += [
                Column("angle", degrees, "turn counter-clockwise, row 0 below, after flip", "deg"),
                Column("flip", self.flip, "mirror left-right before turning"),
            ]
        columns += [
            Column("outlier_score", self.outlier_score, "robust deviations from its prototype"),
            Column("outlier_rank", self.outlier_rank, "1 is the strangest image"),
        ]
        if self.outlier_group is not None:
            said = "index of the strangest of its duplicates"
            columns.append(Column("outlier_group", self.outlier_group, said))
        return columns


def write_table(path: Path, columns: list[Column], *, about: Mapping[str, Any]) -> None:
    """Write columns as a binary FITS table, whole or not at all.

    Parameters
    ----------
    path : path
        Replaced if it exists.
    columns : list of Column
        Of equal length.
    about : mapping of str
        Cards of the header: keyword to value.
    """
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column(
                name=column.name,
                array=column.values,
                format=_format(column.values),
                unit=column.unit,
            )
            for column in columns
        ],
        name=EXTENSION,
    )
    for number, column in enumerate(columns, start=1):
        hdu.header[f"TCOMM{number}"] = column.comment
    for keyword, value in about.items():
        hdu.header[keyword] = value
    with write_whole(path) as file:
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)


def _format(values: NDArray[Any]) -> str:
    """Give FITS's letter of a data type, with the length of a vector."""
    letters = {"b1": "L", "i4": "J", "i8": "K", "f4": "E", "f8": "D"}
    letter = letters[f"{values.dtype.kind}{values.dtype.itemsize}"]
    return letter if values.ndim == 1 else f"{values.shape[1]}{letter}"


def read_hits(path: Path, *, rows: int, columns: int) -> NDArray[np.int64]:
    """Count the images on each prototype.

    Parameters
    ----------
    path : path
        A FITS table with integer columns `row` and `column`.
    rows, columns : int
        Of the map.

    Returns
    -------
    ndarray (rows, columns), int64

    Raises
    ------
    InputError
        If the file is no such table, or an image lies outside of the map.
    """
    row, column = (_read_column(path, name) for name in ("row", "column"))
    outside = (row < 0) | (row >= rows) | (column < 0) | (column >= columns)
    if outside.any():
        i = int(np.argmax(outside))
        raise InputError(
            f"{path}, row {i} (from 0), lies on prototype ({row[i]}, {column[i]}), but the map has "
            f"{rows} x {columns}; give the assignments of this map"
        )
    counts = np.bincount(row * columns + column, minlength=rows * columns)
    return counts.reshape(rows, columns)


def _read_column(path: Path, name: str) -> NDArray[np.int64]:
    if not path.is_file():
        raise InputError(f"{path} is no file; expected a FITS table of assignments")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyWarning)
            with path.open("rb") as file, fits.open(file, memmap=False) as hdus:
                values = np.asarray(hdus[1].data[name])
    except (*DAMAGE, AstropyWarning) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path} is no FITS table with a column {name}, as `skysort map` writes it: {said}"
        ) from error
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise InputError(f"{path} must have whole numbers in its column {name}")
    return values.astype(np.int64)
