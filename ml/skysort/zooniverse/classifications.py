"""Classifications of a Zooniverse export: who answered what about which subjects.

Annotations come in two generations: the older names `task`, `task_label` and `value`, the newer
adds `taskType`. Both are read; what has neither form is kept as it is, with the kind "unknown".
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from skysort.errors import InputError
from skysort.zooniverse.rows import (
    Cells,
    ClassificationRow,
    Fault,
    cells_read,
    columns_of,
    cut_off,
)

__all__ = [
    "Annotation",
    "Classification",
    "ClassificationFile",
    "Kind",
    "annotation_of",
    "classification_of",
]

ID: Final = re.compile(r"[1-9][0-9]{0,17}")
SUBJECT_IDS: Final = re.compile(r"(?:[1-9][0-9]{0,17}(?:;[1-9][0-9]{0,17})*)?")
#: Names that Zooniverse gives to visitors without an account begin so.
NOT_LOGGED_IN: Final = "not-logged-in"
MOST_CHARACTERS_OF_NAME: Final = 255


class Kind(StrEnum):
    """What an annotation holds, by the form of its value."""

    SINGLE = "single"  # one answer; a free text looks the same unless the file says its type
    MULTIPLE = "multiple"
    TEXT = "text"
    DRAWING = "drawing"
    SURVEY = "survey"
    COMBO = "combo"
    DROPDOWN = "dropdown"
    SLIDER = "slider"
    EMPTY = "empty"  # nothing chosen, drawn or said
    UNKNOWN = "unknown"


#: Fields by which the entries of a list tell what kind of task they answer.
FIELDS_OF_KIND: Final = (
    (Kind.COMBO, {"task"}),
    (Kind.SURVEY, {"choice"}),
    (Kind.DROPDOWN, {"select_label"}),
    (Kind.DRAWING, {"tool", "toolIndex", "toolType", "tool_label", "frame"}),
)
KIND_OF_TYPE: Final = {
    "single": Kind.SINGLE,
    "multiple": Kind.MULTIPLE,
    "shortcut": Kind.MULTIPLE,
    "text": Kind.TEXT,
    "drawing": Kind.DRAWING,
    "survey": Kind.SURVEY,
    "combo": Kind.COMBO,
    "dropdown": Kind.DROPDOWN,
    "dropdown-simple": Kind.DROPDOWN,
    "slider": Kind.SLIDER,
}


@dataclass(frozen=True)
class Annotation:
    """The answer to one task.

    Attributes
    ----------
    task : str
        Key of the task, such as "T0"; empty where it has none.
    task_label : str or None
        Words of the question.
    value : JSON value
        As it came.
    kind : Kind
    parts : tuple of Annotation
        Those of a combo task.
    """

    task: str
    task_label: str | None
    value: Any
    kind: Kind
    parts: tuple["Annotation", ...] = ()

    @property
    def choices(self) -> list[str]:
        """Give what was chosen: answers, or the animals of a survey task; nothing of drawings."""
        match self.kind:
            case Kind.SINGLE:
                return [self.value]
            case Kind.MULTIPLE:
                return [each for each in self.value if isinstance(each, str)]
            case Kind.SURVEY:
                found = (each.get("choice") for each in self.value if isinstance(each, dict))
                return [choice for choice in found if isinstance(choice, str)]
            case Kind.DROPDOWN:
                found = (_option(each) for each in self.value if isinstance(each, dict))
                return [option for option in found if option]
            case _:
                return []

    def flat(self) -> Iterator["Annotation"]:
        """Give the annotation, or those that a combo task is made of."""
        if self.kind != Kind.COMBO:
            yield self
            return
        for part in self.parts:
            yield from part.flat()


def _option(entry: dict[str, Any]) -> str:
    label = entry.get("label", entry.get("value"))
    return label if isinstance(label, str) else ""


def annotation_of(entry: dict[str, Any]) -> Annotation:
    """Read one entry of the column `annotations`.

    Examples
    --------
    >>> annotation_of({"task": "T0", "task_label": "What is it?", "value": "A cat"}).kind
    <Kind.SINGLE: 'single'>
    >>> annotation_of({"task": "T3", "value": [{"choice": "ZEBRA", "answers": {}}]}).choices
    ['ZEBRA']
    """
    value = entry.get("value")
    kind = _kind(entry.get("taskType"), value)
    parts = value if kind == Kind.COMBO and isinstance(value, list) else []
    task, label = entry.get("task"), entry.get("task_label")
    return Annotation(
        task=task if isinstance(task, str) else "",
        task_label=label if isinstance(label, str) else None,
        value=value,
        kind=kind,
        parts=tuple(annotation_of(part) for part in parts),
    )


def _kind(said: object, value: Any) -> Kind:
    seen = _kind_of_value(value)
    meant = KIND_OF_TYPE.get(said) if isinstance(said, str) else None
    if seen == Kind.EMPTY or meant is None:
        return seen
    # A text is a string, as is a single answer; else the form of the value must bear out the type.
    return Kind.TEXT if (meant, seen) == (Kind.TEXT, Kind.SINGLE) else seen


def _kind_of_value(value: Any) -> Kind:
    if value is None or value == [] or value == "":
        return Kind.EMPTY
    if isinstance(value, str):
        return Kind.SINGLE
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Kind.SLIDER
    if not isinstance(value, list):
        return Kind.UNKNOWN
    if all(isinstance(each, str) for each in value):
        return Kind.MULTIPLE
    if not all(isinstance(each, dict) for each in value):
        return Kind.UNKNOWN
    for kind, names in FIELDS_OF_KIND:
        if all(names & each.keys() for each in value):
            return kind
    return Kind.UNKNOWN


@dataclass(frozen=True)
class Classification:
    """One answer of one person to one or more subjects.

    Attributes
    ----------
    line : int
        Where its row begins in the file; the header is line 1.
    row : ClassificationRow
        All cells as they came.
    number : int
        Its `classification_id`.
    created_at : datetime
        In UTC.
    annotations : tuple of Annotation
    metadata : dict
        Of the session: times, browser, language.
    subject_data : dict
        Metadata of each subject by its id.
    subject_ids : tuple of str
        More than one where several were shown together.
    """

    line: int
    row: ClassificationRow
    number: int
    created_at: datetime
    annotations: tuple[Annotation, ...]
    metadata: dict[str, Any]
    subject_data: dict[str, dict[str, Any]]
    subject_ids: tuple[str, ...]

    @property
    def volunteer(self) -> str:
        """Name one person alike in all rows: by user id, else by name, else by address.

        Visitors without an account have a name that is made of their hashed address.
        """
        if self.row.user_id:
            return f"user-{self.row.user_id}"
        return self.row.user_name or f"{NOT_LOGGED_IN}-{self.row.user_ip}"

    @cached_property
    def seconds(self) -> float | None:
        """Time from start to end by the person's own clock; none if it says no such thing."""
        started, finished = (
            _moment(self.metadata.get(name)) for name in ("started_at", "finished_at")
        )
        if started is None or finished is None or finished < started:
            return None
        return (finished - started).total_seconds()

    def flat_annotations(self) -> Iterator[Annotation]:
        """Give all annotations, those of combo tasks one by one."""
        for annotation in self.annotations:
            yield from annotation.flat()


class _RuleError(Exception):
    """A cell breaks a rule."""

    def __init__(self, column: str, rule: str) -> None:
        super().__init__(rule)
        self.column = column
        self.rule = rule


def classification_of(row: ClassificationRow, *, line: int = 0, file: str = "") -> Classification:
    """Read the cells of a row that was read before and is known to be good.

    Raises
    ------
    ValueError
        Naming the first cell that breaks a rule.
    """
    try:
        return _classification(row, line)
    except _RuleError as error:
        raise ValueError(str(Fault(file, line, error.column, error.rule))) from error


class ClassificationFile:
    """Reads a classification export row by row.

    Parameters
    ----------
    path : path
        CSV, plain or gzipped, with all fourteen columns.
    on_fault : callable
        Told of each row that is left out, and why; the next one goes on.

    Attributes
    ----------
    n_rows, n_faults, n_repeated : int
        Rows read so far below the header, those left out for a fault, and those that stood in an
        earlier row word by word.

    Examples
    --------
    >>> faults = []
    >>> file = ClassificationFile(Path("none.csv"), on_fault=faults.append)
    >>> list(file)
    Traceback (most recent call last):
    skysort.errors.InputError: none.csv is no file
    """

    def __init__(self, path: Path, *, on_fault: Callable[[Fault], None]) -> None:
        self.path = path
        self.n_rows = self.n_faults = self.n_repeated = 0
        self._on_fault = on_fault
        self._seen: dict[int, int] = {}

    def __iter__(self) -> Iterator[Classification]:
        """Read once; an `InputError` says why the file as a whole cannot be read."""
        for cells in cells_read(self.path, ClassificationRow):
            self.n_rows += 1
            try:
                found = self._read(cells)
            except _RuleError as error:
                self.n_faults += 1
                self._on_fault(Fault(self.path.name, cells.line, error.column, error.rule))
            else:
                if found is not None:
                    yield found

    def _read(self, cells: Cells) -> Classification | None:
        if cells.rule:
            raise _RuleError("", cells.rule)
        row = ClassificationRow(**{name: cells.values[name] for name in _COLUMNS})
        found = _classification(row, cells.line)
        if not cells.has_end and not set(found.subject_ids) <= found.subject_data.keys():
            raise InputError(cut_off(self.path, cells.line))
        content = hash(row)
        former = self._seen.get(found.number)
        if former is None:
            self._seen[found.number] = content
            return found
        if former != content:
            raise _RuleError(
                "classification_id", f"{found.number} stands in an earlier row with other content"
            )
        self.n_repeated += 1
        return None


_COLUMNS: Final = columns_of(ClassificationRow)


def _classification(row: ClassificationRow, line: int) -> Classification:
    for name in _COLUMNS:
        if "\0" in getattr(row, name):
            raise _RuleError(name, "it holds a NUL character")
    if not ID.fullmatch(row.classification_id):
        raise _RuleError(
            "classification_id",
            f"it must be a number of 1 to 18 digits, got {_short(row.classification_id)}",
        )
    for name in ("user_name", "user_id", "user_ip"):
        if len(getattr(row, name)) > MOST_CHARACTERS_OF_NAME:
            raise _RuleError(name, f"it has more than {MOST_CHARACTERS_OF_NAME} characters")
    if not (row.user_id or row.user_name or row.user_ip):
        raise _RuleError("user_name", "nobody is named: user_id, user_name and user_ip are empty")
    if not SUBJECT_IDS.fullmatch(row.subject_ids):
        raise _RuleError(
            "subject_ids", f"they must be numbers between ';', got {_short(row.subject_ids)}"
        )
    return Classification(
        line=line,
        row=row,
        number=int(row.classification_id),
        created_at=_created_at(row),
        annotations=_annotations(row),
        metadata=_object(row, "metadata"),
        subject_data=_subject_data(row),
        subject_ids=tuple(filter(None, row.subject_ids.split(";"))),
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _created_at(row: ClassificationRow) -> datetime:
    moment = _moment(row.created_at)
    if moment is None:
        raise _RuleError(
            "created_at",
            f"it must be a time such as '2017-01-06 20:36:55 UTC', got {_short(row.created_at)}",
        )
    return moment


def _moment(text: object) -> datetime | None:
    """Read a time; one without a zone is in UTC, as all of Zooniverse's are."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _json(row: ClassificationRow, name: str) -> Any:
    try:
        return json.loads(getattr(row, name))
    except (ValueError, RecursionError) as error:
        raise _RuleError(name, f"it is no JSON: {error}") from error


def _object(row: ClassificationRow, name: str) -> dict[str, Any]:
    value = _json(row, name)
    if not isinstance(value, dict):
        raise _RuleError(name, f"it must be a JSON object, got {type(value).__name__}")
    return value


def _annotations(row: ClassificationRow) -> tuple[Annotation, ...]:
    value = _json(row, "annotations")
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _RuleError("annotations", "they must be a JSON list of objects")
    return tuple(annotation_of(entry) for entry in value)


def _subject_data(row: ClassificationRow) -> dict[str, dict[str, Any]]:
    value = _object(row, "subject_data")
    for key, data in value.items():
        if not isinstance(data, dict):
            raise _RuleError("subject_data", f"that of subject {key} must be a JSON object")
    return value
