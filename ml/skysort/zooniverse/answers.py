"""What a classification says of its subject: one label for one task, or a reason for none."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final

from skysort.errors import InputError
from skysort.zooniverse.classifications import Annotation, Classification, Kind

__all__ = ["Choice", "NoChoice", "TaskSummary", "Tasks", "choice_of", "plain", "task_find"]

PICTURE: Final = re.compile(r"!\[[^\]]*\]\([^)]*\)")
LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
MARKUP: Final = re.compile(r"<[^>]*>|[*_`#>~]+|:[a-z0-9_+-]+:|\+tab\+")
#: Labels of one task that a message names.
LABELS_SHOWN: Final = 4
#: More different answers than this are no choice: the task takes free text.
MOST_LABELS: Final = 1000


def plain(text: str) -> str:
    """Strip an answer's words of pictures, links, markdown and letter case.

    Examples
    --------
    >>> plain("![a spiral](https://example.org/s.png =60x) **Spiral**  arms")
    'spiral arms'
    >>> plain("Can't tell [(why?)](https://example.org)")
    "can't tell (why?)"
    """
    bare = MARKUP.sub(" ", LINK.sub(r"\1", PICTURE.sub(" ", text)))
    # Keys such as "off_centre" and words such as "Off centre" are the same.
    return " ".join(bare.split()).casefold()


class NoChoice(StrEnum):
    """Why a classification gives no label."""

    NOT_ASKED = "the task was not asked"
    EMPTY = "nothing was chosen"
    SEVERAL = "several answers were chosen"
    DRAWING = "it is a drawing"
    TEXT = "it is free text"
    OTHER = "it is no choice of one answer"


@dataclass(frozen=True)
class Choice:
    """The one answer that was chosen in a task, in the words of the export."""

    task: str
    label: str


def choice_of(classification: Classification, task: str) -> Choice | NoChoice:
    """Find the one answer to a task.

    A task that was answered twice, as the steps back and forth of a visitor leave it, goes by
    its last annotation.
    """
    found = [one for one in classification.flat_annotations() if one.task == task]
    return NoChoice.NOT_ASKED if not found else _choice(found[-1])


def _choice(annotation: Annotation) -> Choice | NoChoice:
    choices = annotation.choices
    if len(choices) == 1 and len(_entries(annotation)) == 1:
        return Choice(annotation.task, choices[0])
    if len(choices) > 1:
        return NoChoice.SEVERAL
    match annotation.kind:
        case Kind.EMPTY:
            return NoChoice.EMPTY
        case Kind.DRAWING:
            return NoChoice.DRAWING
        case Kind.TEXT:
            return NoChoice.TEXT
        case _:
            return NoChoice.OTHER


def _entries(annotation: Annotation) -> list[object]:
    return annotation.value if isinstance(annotation.value, list) else [annotation.value]


@dataclass
class TaskSummary:
    """How often a task was asked, and what was answered."""

    workflow_id: str
    task: str
    task_label: str = ""
    n_asked: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    followed_by: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def n_chosen(self) -> int:
        """Classifications with one answer."""
        return self.labels.total()

    def __str__(self) -> str:
        said = ", ".join(repr(label) for label, _ in self.labels.most_common(LABELS_SHOWN))
        more = ", ..." if len(self.labels) > LABELS_SHOWN else ""
        return (
            f"{self.task} of workflow {self.workflow_id} ({self.n_chosen:,} single answers:"
            f" {said}{more})"
        )


class Tasks:
    """Counts the tasks of an export.

    Examples
    --------
    >>> Tasks().choices()
    []
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], TaskSummary] = {}

    def add(self, classification: Classification) -> None:
        """Count one classification."""
        workflow = classification.row.workflow_id
        chosen: dict[str, str] = {}
        asked: dict[str, Annotation] = {}
        for annotation in classification.flat_annotations():
            asked[annotation.task] = annotation
        for task, annotation in asked.items():
            summary = self._found.setdefault((workflow, task), TaskSummary(workflow, task))
            summary.n_asked += 1
            summary.task_label = annotation.task_label or summary.task_label
            choice = _choice(annotation)
            if isinstance(choice, Choice) and len(summary.labels) <= MOST_LABELS:
                summary.labels[choice.label] += 1
                chosen[task] = choice.label
        self._count_order(workflow, chosen)

    def _count_order(self, workflow: str, chosen: dict[str, str]) -> None:
        """Note which task comes after each answer; "" ends the way."""
        tasks = list(chosen)
        for task, following in pairwise([*tasks, ""]):
            counts = self._found[workflow, task].followed_by
            counts.setdefault(chosen[task], Counter())[following] += 1

    def all(self) -> list[TaskSummary]:
        """Give all tasks, in the order in which they came first."""
        return list(self._found.values())

    def choices(self, *, workflow: str = "", task: str = "") -> list[TaskSummary]:
        """Give the tasks with single answers, of one workflow or one name if these are given."""
        return [
            each
            for each in self._found.values()
            if 0 < len(each.labels) <= MOST_LABELS
            and each.workflow_id == (workflow or each.workflow_id)
            and each.task == (task or each.task)
        ]


def task_find(tasks: Tasks, *, workflow: str = "", task: str = "") -> TaskSummary:
    """Find the task that gives labels.

    Raises
    ------
    InputError
        Naming those to choose from if there are several, or all tasks if there is none.
    """
    found = tasks.choices(workflow=workflow, task=task)
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            "Several tasks have single answers; choose one with --workflow and --task: "
            + "; ".join(map(str, found))
        )
    raise InputError(
        f"No task{_named(task)}{_of(workflow)} has single answers; the file has "
        f"{_list(tasks.all())}"
    )


def _named(task: str) -> str:
    return f" {task}" if task else ""


def _of(workflow: str) -> str:
    return f" of workflow {workflow}" if workflow else ""


def _list(tasks: Iterable[TaskSummary]) -> str:
    names = [f"{each.task} of workflow {each.workflow_id}" for each in tasks]
    return ", ".join(names) or "no tasks"
