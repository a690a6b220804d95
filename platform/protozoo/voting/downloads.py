"""Gives volunteers all that the site keeps of their answers, as CSV or JSON, row by row."""

import csv
import json
from collections.abc import Iterator
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from protozoo.accounts.models import Volunteer
from protozoo.voting.models import Vote
from protozoo.voting.trees import leaf_title

COLUMNS: Final = (
    "client_uuid", "campaign", "item", "kind", "shown", "question_version", "answer",
    "answer_in_words", "path", "ticked", "tags", "is_strange", "comment", "marks", "seconds",
    "answered_at", "received_at", "counts", "superseded_at",
)  # fmt: skip
BATCH_SIZE: Final = 2000
# A spreadsheet takes text that begins so for a formula; an apostrophe keeps it text.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


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
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _rows(volunteer: Volunteer) -> Iterator[dict[str, Any]]:
    """Give all votes, those too that no longer count; a few thousand are in memory at a time."""
    votes = Vote.objects.filter(volunteer=volunteer).order_by("pk")
    related = votes.select_related("question", "item__campaign", "item__prototype", "item__subject")
    for vote in related.iterator(chunk_size=BATCH_SIZE):
        item = vote.item
        yield {
            "client_uuid": vote.client_uuid,
            "campaign": item.campaign.slug,
            "item": item.pk,
            "kind": item.kind,
            "shown": item.subject.identifier if item.subject else str(item.prototype),
            "question_version": vote.question.version,
            "answer": vote.answer,
            "answer_in_words": leaf_title(vote.question.tree, vote.answer),
            "path": vote.path,
            "ticked": vote.ticked,
            "tags": vote.tags,
            "is_strange": vote.is_strange,
            "comment": vote.comment,
            "marks": vote.marks,
            "seconds": vote.seconds,
            "answered_at": vote.answered_at,
            "received_at": vote.received_at,
            "counts": vote.superseded_at is None,
            "superseded_at": vote.superseded_at,
        }
