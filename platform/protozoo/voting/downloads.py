"""Gives volunteers all that the site keeps of their answers, as CSV or JSON, row by row."""

import csv
import json
from collections.abc import Iterator
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from protozoo.accounts.models import Volunteer
from protozoo.voting.models import Question, Vote
from protozoo.voting.trees import leaf_title
from skysort.zooniverse.rows import guarded

COLUMNS: Final = (
    "client_uuid", "campaign", "item", "kind", "shown", "question_version", "answer",
    "answer_in_words", "path", "ticked", "tags", "is_strange", "comment", "marks", "seconds",
    "answered_at", "received_at", "counts", "superseded_at",
)  # fmt: skip
_PLAIN: Final = (
    "client_uuid", "answer", "path", "ticked", "tags", "is_strange", "comment", "marks", "seconds",
    "answered_at", "received_at", "superseded_at",
)  # fmt: skip
_FIELDS: Final = (
    *_PLAIN, "item", "question", "item__kind", "item__campaign__slug",
    "item__subject__identifier", "item__prototype__row", "item__prototype__column",
)  # fmt: skip
BATCH_SIZE: Final = 2000


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def votes_as_csv(volunteer: Volunteer) -> Iterator[str]:
    """Write a line for each vote, the first given first; lists are JSON in one cell."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in _rows(volunteer):
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def votes_as_json(volunteer: Volunteer) -> Iterator[str]:
    """Write a list of objects with the same fields."""
    before = "[\n"
    for row in _rows(volunteer):
        yield before + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return guarded(value.isoformat() if hasattr(value, "isoformat") else str(value))


def _rows(volunteer: Volunteer) -> Iterator[dict[str, Any]]:
    """Give all votes, those too that no longer count; a few thousand are in memory at a time."""
    words = _Words()
    votes = Vote.objects.filter(volunteer=volunteer).order_by("pk")
    for vote in votes.values(*_FIELDS).iterator(chunk_size=BATCH_SIZE):
        row, column = vote["item__prototype__row"], vote["item__prototype__column"]
        version, answer = words.of(vote["question"], vote["answer"])
        yield {
            **{name: vote[name] for name in _PLAIN},
            "campaign": vote["item__campaign__slug"],
            "item": vote["item"],
            "kind": vote["item__kind"],
            "shown": vote["item__subject__identifier"] or f"prototype {row}, {column}",
            "question_version": version,
            "answer_in_words": answer,
            "counts": vote["superseded_at"] is None,
        }


class _Words:
    """The words of answers in the versions of questions; each is looked up once."""

    def __init__(self) -> None:
        self._questions: dict[int, Question] = {}
        self._titles: dict[tuple[int, str], str] = {}

    def of(self, question: int, answer: str) -> tuple[int, str]:
        """Give a question's version and what an answer is called in it."""
        if question not in self._questions:
            self._questions[question] = Question.objects.get(pk=question)
        asked = self._questions[question]
        if (question, answer) not in self._titles:
            self._titles[question, answer] = leaf_title(asked.tree, answer)
        return asked.version, self._titles[question, answer]
