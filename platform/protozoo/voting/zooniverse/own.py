"""What a vote of ours says beyond Zooniverse's words; travels in the metadata of its row.

Prototypes, grids, marks in arcseconds and who was simulated have no place in the columns of an
export. They stand in `metadata` under the key "protozoo", which other tools pass over, so that a
vote that was exported comes back the same.
"""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.dateparse import parse_datetime

from protozoo.voting.models import Item, Vote
from protozoo.voting.remarks import Remarks

BLOCK: Final = "protozoo"
VERSION: Final = 1


@dataclass(frozen=True)
class Unit:
    """A prototype by its map's checksum and its place, which are the same on every site."""

    checksum: str
    row: int
    column: int


@dataclass(frozen=True)
class OwnAnswer:
    """A vote as it left a site; subjects by their identifiers in the survey."""

    client_uuid: uuid.UUID
    kind: str
    label: str
    unit: Unit | None
    subjects: tuple[str, ...]
    path: list[str]
    answer: str
    ticked: list[str] | None
    seconds: float
    answered_at: datetime
    is_simulated: bool
    remarks: Remarks
    marks: list[dict[str, Any]]


def own_block(vote: Vote, subjects: Mapping[int, str]) -> dict[str, Any]:
    """Say what a vote is; `subjects` are those of its item, by their keys, in their places."""
    item = vote.item
    prototype = item.prototype
    return {
        "version": VERSION,
        "client_uuid": str(vote.client_uuid),
        "kind": item.kind,
        "label": item.label,
        "map": prototype
        and {
            "checksum": prototype.sorting.map_checksum,
            "row": prototype.row,
            "column": prototype.column,
        },
        "subjects": list(subjects.values()),
        "path": vote.path,
        "answer": vote.answer,
        "ticked": None if vote.ticked is None else [subjects[key] for key in vote.ticked],
        "seconds": vote.seconds,
        "answered_at": vote.answered_at.isoformat(),
        "is_simulated": vote.volunteer.is_simulated,
        "tags": vote.tags,
        "is_strange": vote.is_strange,
        "comment": vote.comment,
        "marks": vote.marks,
    }


def own_read(metadata: Mapping[str, Any]) -> OwnAnswer | None:
    """Read what a row of ours says; none for a row of Zooniverse, or one that was tampered with."""
    block = metadata.get(BLOCK)
    if not isinstance(block, dict) or block.get("version") != VERSION:
        return None
    try:
        return _own(block)
    except (KeyError, TypeError, ValueError):
        return None


def _own(block: dict[str, Any]) -> OwnAnswer:
    answered_at = parse_datetime(_text(block["answered_at"]))
    seconds = float(block["seconds"])
    if answered_at is None or answered_at.tzinfo is None or not math.isfinite(seconds):
        raise ValueError("no time")
    unit, ticked = block["map"], block["ticked"]
    return OwnAnswer(
        client_uuid=uuid.UUID(_text(block["client_uuid"])),
        kind=Item.Kind(block["kind"]),
        label=_text(block["label"]),
        unit=unit and Unit(_text(unit["checksum"]), int(unit["row"]), int(unit["column"])),
        subjects=tuple(map(_text, block["subjects"])),
        path=list(map(_text, block["path"])),
        answer=_text(block["answer"]),
        ticked=None if ticked is None else list(map(_text, ticked)),
        seconds=max(seconds, 0.0),
        answered_at=answered_at,
        is_simulated=block["is_simulated"] is True,
        remarks=Remarks(
            tags=list(map(_text, block["tags"])),
            is_strange=block["is_strange"] is True,
            comment=_text(block["comment"]),
        ),
        marks=[dict(mark) for mark in block["marks"]],
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("no text")
    return value
