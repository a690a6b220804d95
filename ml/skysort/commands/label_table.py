"""Reads which class each image of a set is, from a CSV table of one row per image.

The first line is a header. The classes stand in the column `label` (or `class`, or `truth`), or
else in the last one. A column `index` of whole numbers says which image a row means, from 0;
without it rows are in the order of the images. Other columns are ignored.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skysort.consensus.crowd_tables import open_text, sort_labels
from skysort.errors import InputError

__all__ = ["Labels", "read_labels"]

LABEL_NAMES: Final = ("label", "class", "truth")
INDEX: Final = "index"


@dataclass(frozen=True)
class Labels:
    """Classes of images.

    Attributes
    ----------
    classes : list of str
        Sorted, as numbers if all are numbers; at least two.
    number : ndarray, int64, (N,)
        Place of each image's class among them.
    column : str
        Where they stand in the table.
    is_indexed : bool
        Whether rows were paired with images by their index, not in order.
    """

    classes: list[str]
    number: NDArray[np.int64]
    column: str
    is_indexed: bool


@dataclass(frozen=True)
class _Row:
    line: int
    label: str
    index: str


def read_labels(path: Path, n_images: int) -> Labels:
    """Read the classes of `n_images` images.

    Parameters
    ----------
    path : path
        CSV with a header, UTF-8, plain or gzip.
    n_images : int
        As many labels there must be.

    Returns
    -------
    Labels

    Raises
    ------
    InputError
        Naming the line: if a label is missing or one too many, an index is no image's or comes
        twice, or all images are of one class.
    """
    column, rows = _read(path)
    is_indexed = any(row.index.isdecimal() for row in rows)
    if is_indexed:
        rows = _by_index(path, rows, n_images)
    elif len(rows) != n_images:
        raise InputError(
            f"{path} has {len(rows):,} rows below its header for {n_images:,} images; "
            "it must have one for each"
        )
    classes = sort_labels(list({row.label for row in rows}))
    if len(classes) < 2:
        raise InputError(f"{path} calls all images {classes[0]}; two classes are needed at least")
    place = {label: number for number, label in enumerate(classes)}
    return Labels(classes, np.array([place[row.label] for row in rows]), column, is_indexed)


def _read(path: Path) -> tuple[str, list[_Row]]:
    """Give the name of the column of classes, and all rows."""
    with open_text(path) as text:
        reader = csv.reader(text, strict=True)
        try:
            header = [cell.strip() for cell in next(reader, [])]
            place, at_index = _places(path, header)
            rows = [
                _row(path, reader.line_num, cells, place, at_index) for cells in reader if cells
            ]
        except csv.Error as error:
            raise InputError(f"{path}, line {reader.line_num}, is no CSV: {error}") from error
    if not rows:
        raise InputError(f"{path} has no labels: expected rows below the header")
    return header[place], rows


def _places(path: Path, header: list[str]) -> tuple[int, int | None]:
    """Find the columns of the class and of the index."""
    names = [name.lower() for name in header]
    at_index = names.index(INDEX) if INDEX in names else None
    found = [names.index(name) for name in LABEL_NAMES if name in names]
    place = found[0] if found else len(names) - 1
    if place < 0 or place == at_index:
        raise InputError(f"{path} must have a column label in its first line")
    return place, at_index


def _row(path: Path, line: int, cells: list[str], place: int, at_index: int | None) -> _Row:
    label = cells[place].strip() if place < len(cells) else ""
    if not label:
        raise InputError(f"{path}, line {line}, has no label")
    index = cells[at_index].strip() if at_index is not None and at_index < len(cells) else ""
    return _Row(line, label, index)


def _by_index(path: Path, rows: list[_Row], n_images: int) -> list[_Row]:
    """Put rows into the order of the images."""
    by_image: dict[int, _Row] = {}
    for row in rows:
        if not row.index.isdecimal() or int(row.index) >= n_images:
            raise InputError(
                f"{path}, line {row.line}, has the index {row.index or '(empty)'}; "
                f"there are images 0 to {n_images - 1}"
            )
        before = by_image.setdefault(int(row.index), row)
        if before is not row:
            raise InputError(
                f"{path}, line {row.line}, labels image {row.index} again after line {before.line}"
            )
    missing = next((image for image in range(n_images) if image not in by_image), None)
    if missing is not None:
        raise InputError(f"{path} has no label of image {missing}; all {n_images:,} need one")
    return [by_image[image] for image in range(n_images)]
