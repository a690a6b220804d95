"""The tables of a Zooniverse data export, row by row, as Panoptes writes them.

Follows the CSV formatters of Panoptes (github.com/zooniverse/panoptes, lib/formatter/csv). Cells
are kept as they came; what is in them is read beside, so that writing gives the same text again.
"""

import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, ClassVar, Final, TypeVar

from skysort.consensus.crowd_tables import open_text
from skysort.errors import InputError
from skysort.images.whole_file import write_whole

__all__ = [
    "ClassificationRow",
    "Fault",
    "SubjectRow",
    "WorkflowRow",
    "cells_read",
    "columns_of",
    "cut_off",
    "guarded",
    "json_text",
    "read_subjects",
    "read_workflows",
    "table_text",
    "write_rows",
]

#: Characters of one cell: a drawing may have many points, but no cell is the rest of the file.
MOST_CHARACTERS: Final = 2**24
#: What csv says where a file ends within quotes.
CUT_OFF: Final = "unexpected end of data"
#: What a cell is put into quotes for.
SPECIAL: Final = re.compile(r'[",\r\n]')
#: Cells with which a spreadsheet would begin to calculate.
FORMULA: Final = re.compile(r"[=+\-@\t\r]")


@dataclass(frozen=True)
class ClassificationRow:
    """One line of a classification export, each cell as it stands there."""

    classification_id: str
    user_name: str
    user_id: str
    user_ip: str
    workflow_id: str
    workflow_name: str
    workflow_version: str
    created_at: str
    gold_standard: str
    expert: str
    metadata: str
    annotations: str
    subject_data: str
    subject_ids: str

    KIND: ClassVar[str] = "classification export"


@dataclass(frozen=True)
class SubjectRow:
    """One line of a subject export: a subject in one workflow and one subject set."""

    subject_id: str
    project_id: str
    workflow_id: str
    subject_set_id: str
    metadata: str
    locations: str
    classifications_count: str
    retired_at: str
    retirement_reason: str
    created_at: str
    updated_at: str

    KIND: ClassVar[str] = "subject export"


@dataclass(frozen=True)
class WorkflowRow:
    """One line of a workflow export: one version of the questions."""

    workflow_id: str
    display_name: str
    version: str
    minor_version: str
    active: str
    classifications_count: str
    pairwise: str
    grouped: str
    prioritized: str
    primary_language: str
    first_task: str
    tutorial_subject_id: str
    retired_set_member_subjects_count: str
    tasks: str
    retirement: str
    aggregation: str
    strings: str

    KIND: ClassVar[str] = "workflow export"


Row = TypeVar("Row", ClassificationRow, SubjectRow, WorkflowRow)


@dataclass(frozen=True)
class Fault:
    """What is wrong with one line of a file, and the rule that it breaks."""

    file: str
    line: int
    column: str
    rule: str

    def __str__(self) -> str:
        where = f", column {self.column}" if self.column else ""
        return f"{self.file}, line {self.line}{where}: {self.rule}"


@dataclass(frozen=True)
class Cells:
    """The cells of one line by their columns; none where the line cannot be read.

    A line without an end may be the last one of a file that was cut off.
    """

    line: int
    values: dict[str, str]
    rule: str = ""
    has_end: bool = True


def columns_of(kind: type[Row]) -> list[str]:
    """Give the columns of a table in their order."""
    return [field.name for field in fields(kind)]


def cells_read(path: Path, kind: type[Row]) -> Iterator[Cells]:
    """Read the lines of an export, plain or gzipped, one after the other.

    Parameters
    ----------
    path : path
        UTF-8 text with a header; columns in any order, further ones are left out.
    kind : type
        `ClassificationRow`, `SubjectRow` or `WorkflowRow`.

    Yields
    ------
    Cells
        With a `rule` where a line is no row of the table; the next one goes on.

    Raises
    ------
    InputError
        If the file is no such export, or ends in the middle of a row.
    """
    csv.field_size_limit(MOST_CHARACTERS)
    with open_text(path) as text:
        source = _Lines(text)
        reader = csv.reader(source, strict=True)
        header = _header(path, reader, columns_of(kind), kind.KIND)
        line = reader.line_num
        while True:
            # A row with line breaks in its cells goes by the line that it begins in.
            first = line + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                if CUT_OFF in str(error):
                    raise InputError(cut_off(path, first)) from error
                yield Cells(first, {}, f"it is no CSV: {error}")
                line = reader.line_num
                continue
            line = reader.line_num
            if row is None:
                return
            if len(row) < len(header) and source.is_open_ended:
                raise InputError(cut_off(path, first))
            if row:
                yield _cells(first, header, row, has_end=not source.is_open_ended)


class _Lines:
    """Lines of a file; remembers whether the last one was ended."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self.is_open_ended = False

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.is_open_ended = not line.endswith(("\n", "\r"))
            yield line


def _header(path: Path, reader: Iterator[list[str]], wanted: list[str], kind: str) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise InputError(f"{path} is no {kind}: its first line is no CSV ({error})") from error
    missing = [name for name in wanted if name not in header]
    if missing:
        raise InputError(
            f"{path} is no {kind} of Zooniverse: its first line lacks {', '.join(missing)}"
        )
    double = sorted({name for name in wanted if header.count(name) > 1})
    if double:
        raise InputError(f"{path} has several columns named {', '.join(double)}")
    return header


def _cells(line: int, header: list[str], row: list[str], *, has_end: bool) -> Cells:
    if len(row) != len(header):
        return Cells(line, {}, f"it has {len(row)} cells, and the header has {len(header)}")
    return Cells(line, dict(zip(header, row, strict=True)), has_end=has_end)


def cut_off(path: Path, line: int) -> str:
    """Say that a file ends too early."""
    return f"{path} is cut off in the row that begins in line {line}; fetch the export again"


def read_subjects(path: Path) -> Iterator[SubjectRow]:
    """Read a subject export; the first line that is none ends it with an `InputError`."""
    return _read_all(path, SubjectRow)


def read_workflows(path: Path) -> Iterator[WorkflowRow]:
    """Read a workflow export; the first line that is none ends it with an `InputError`."""
    return _read_all(path, WorkflowRow)


def _read_all(path: Path, kind: type[Row]) -> Iterator[Row]:
    columns = columns_of(kind)
    for cells in cells_read(path, kind):
        if cells.rule:
            raise InputError(str(Fault(path.name, cells.line, "", cells.rule)))
        yield kind(**{name: cells.values[name] for name in columns})


# Writing ------------------------------------------------------------------------------------
def table_text(rows: Iterable[Row], kind: type[Row]) -> Iterator[str]:
    """Write a table piece by piece, the header first.

    Examples
    --------
    >>> "".join(table_text([], SubjectRow))[:33]
    'subject_id,project_id,workflow_id'
    """
    columns = columns_of(kind)
    yield _line(columns)
    for row in rows:
        yield _line([getattr(row, name) for name in columns])


def _line(cells: Iterable[str]) -> str:
    """Write a line; csv of Python before 3.13 leaves a carriage return in a cell unquoted."""
    return ",".join(_quoted(cell) if SPECIAL.search(cell) else cell for cell in cells) + "\n"


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def write_rows(path: Path, rows: Iterable[Row], kind: type[Row]) -> int:
    """Write a table whole or not at all, gzipped if its name ends in `.gz`.

    Returns
    -------
    int
        Rows below the header.
    """
    n_pieces = 0
    with write_whole(path) as file, _packed(file, is_gzip=path.suffix == ".gz") as target:
        for text in table_text(rows, kind):
            target.write(text.encode())
            n_pieces += 1
    return n_pieces - 1


@contextmanager
def _packed(file: IO[bytes], *, is_gzip: bool) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if not is_gzip:
        yield file
        return
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        yield packed


def guarded(text: str) -> str:
    """Keep a spreadsheet from calculating with words of our own.

    For names that a person typed; never for cells that came from elsewhere, which are given back
    as they came.

    Examples
    --------
    >>> guarded("=1+1"), guarded("Bent sources")
    ("'=1+1", 'Bent sources')
    """
    return f"'{text}" if FORMULA.match(text) else text


def json_text(value: Any) -> str:
    """Write JSON as Panoptes does: without blanks, in plain Unicode."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
