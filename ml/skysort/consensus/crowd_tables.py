"""Tables of votes and of truth, as public crowd sets have them, and the table of posteriors.

Votes are rows of item, worker and label; all three are any text. Columns come in any order, their
names in any case, others are ignored; cells are stripped of blanks and may not be empty; empty
lines are skipped. A volunteer has one vote on an item: where a table has several, the last counts.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.images.whole_file import write_whole

__all__ = [
    "CrowdVotes",
    "open_text",
    "read_truth",
    "read_votes",
    "sort_labels",
    "write_posteriors",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class CrowdVotes:
    """Votes by number, and the names of what the numbers stand for.

    Attributes
    ----------
    items, workers : list of str
        In the order in which the table names them first.
    labels : list of str
        Sorted, as numbers if all are numbers.
    item, worker, label : ndarray, int64, (V,)
        One vote per entry.
    n_replaced : int
        Rows left out because the same volunteer voted on the same item again further down.
    """

    items: list[str]
    workers: list[str]
    labels: list[str]
    item: IntArray
    worker: IntArray
    label: IntArray
    n_replaced: int


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a CSV file, also a compressed one, whatever its name.

    Parameters
    ----------
    path : path
        UTF-8 with or without byte-order mark, plain or gzip.

    Yields
    ------
    file
        Text, lines as they end in the file.

    Raises
    ------
    InputError
        If there is no such file, it is no UTF-8 text or a damaged gzip file.
    """
    if not path.is_file():
        raise InputError(f"{path} is no file")
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == GZIP_MAGIC
            file.seek(0)
            plain = gzip.GzipFile(fileobj=file) if is_gzip else file
            with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as text:
                yield text
    except UnicodeDecodeError as error:
        raise InputError(f"{path} must be UTF-8 text, and byte {error.start} is not") from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is a damaged gzip file: {error}") from error


def _rows(path: Path, text: TextIO, names: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and the named cells of every row."""
    reader = csv.reader(text, strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        places = [_place(path, header, name) for name in names]
        width = max(places) + 1
        for row in reader:
            if not row:
                continue
            if len(row) < width:
                raise InputError(
                    f"{path}, line {reader.line_num}, has {len(row)} cells; "
                    f"the header asks for {len(header)}"
                )
            cells = [row[place].strip() for place in places]
            if not all(cells):
                empty = names[cells.index("")]
                raise InputError(f"{path}, line {reader.line_num}, has an empty {empty}")
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}, is no CSV: {error}") from error


def _place(path: Path, header: list[str], name: str) -> int:
    if header.count(name) != 1:
        found = ", ".join(header) or "nothing"
        raise InputError(f"{path} must have one column {name} in its first line, which has {found}")
    return header.index(name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def sort_labels(labels: list[str]) -> list[str]:
    """Sort labels, as numbers if all are numbers.

    Examples
    --------
    >>> sort_labels(["10", "9"]), sort_labels(["10", "b", "9"])
    (['9', '10'], ['10', '9', 'b'])
    """
    if all(map(_is_number, labels)):
        return sorted(labels, key=lambda label: (float(label), label))
    return sorted(labels)


def _last_of_each(item: IntArray, worker: IntArray, n_workers: int) -> IntArray:
    """Find the last vote of each volunteer on each item, in the order of the table."""
    pair = item * n_workers + worker
    _, from_the_end = np.unique(pair[::-1], return_index=True)
    last: IntArray = np.sort(len(pair) - 1 - from_the_end)
    return last


def read_votes(path: Path) -> CrowdVotes:
    """Read a table with columns `item`, `worker` and `label`.

    Parameters
    ----------
    path : path
        CSV with a header, UTF-8 with or without byte-order mark, plain or gzip.

    Returns
    -------
    CrowdVotes
        At least one vote.

    Raises
    ------
    InputError
        If a column is missing, a cell is empty, or the file has no votes or is no such table.
    """
    items: dict[str, int] = {}
    workers: dict[str, int] = {}
    labels: dict[str, int] = {}
    numbers: list[int] = []
    with open_text(path) as text:
        for _, (item, worker, label) in _rows(path, text, ("item", "worker", "label")):
            numbers += (
                items.setdefault(item, len(items)),
                workers.setdefault(worker, len(workers)),
                labels.setdefault(label, len(labels)),
            )
    if not numbers:
        raise InputError(f"{path} has no votes: expected rows below the header")
    table = np.array(numbers, dtype=np.int64).reshape(-1, 3)
    kept = _last_of_each(table[:, 0], table[:, 1], len(workers))
    named = list(labels)
    order = sort_labels(named)
    rank = {label: number for number, label in enumerate(order)}
    new_number = np.array([rank[label] for label in named])
    return CrowdVotes(
        list(items),
        list(workers),
        order,
        table[kept, 0],
        table[kept, 1],
        new_number[table[kept, 2]],
        len(table) - len(kept),
    )


def read_truth(path: Path) -> dict[str, str]:
    """Read a table with columns `item` and `truth`.

    Parameters
    ----------
    path : path
        As for `read_votes`.

    Returns
    -------
    dict of str to str
        True label of each item.

    Raises
    ------
    InputError
        As `read_votes`, or if an item has two different truths.
    """
    truth: dict[str, str] = {}
    with open_text(path) as text:
        for line, (item, label) in _rows(path, text, ("item", "truth")):
            if truth.setdefault(item, label) != label:
                raise InputError(
                    f"{path}, line {line}, says that item {item} is {label}, "
                    f"and further up {truth[item]}"
                )
    return truth


def write_posteriors(path: Path, votes: CrowdVotes, probabilities: FloatArray) -> None:
    """Write one row per item: item, label, p_<class>..., entropy in bits, n_votes.

    Parameters
    ----------
    path : path
        Written whole or not at all; compressed if it ends in `.gz`.
    votes : CrowdVotes
        Names of items and labels, and what to count.
    probabilities : ndarray, float64, (I, K)
        Class probabilities.
    """
    n_votes = np.bincount(votes.item, minlength=len(votes.items))
    log = np.log2(np.where(probabilities > 0.0, probabilities, 1.0))
    entropy = np.maximum(-(probabilities * log).sum(axis=1), 0.0)
    best = probabilities.argmax(axis=1)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = [f"p_{label}" for label in votes.labels]
    writer.writerow(["item", "label", *classes, "entropy", "n_votes"])
    for i, name in enumerate(votes.items):
        shares = [f"{p:.6g}" for p in probabilities[i].tolist()]
        writer.writerow([name, votes.labels[best[i]], *shares, f"{entropy[i]:.6g}", n_votes[i]])
    content = text.getvalue().encode()
    with write_whole(path) as file:
        file.write(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
