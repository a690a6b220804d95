"""Reads a table of subjects whose class is known."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protozoo.voting.exceptions import GoldFileError, ProposalError
from protozoo.voting.models import Campaign
from protozoo.voting.proposals import chunks, label_check, place_check, places_of
from protozoo.voting.selectors import question_newest
from protozoo.voting.trees import tree_classes

COLUMNS: Final = ("id", "label")


@dataclass(frozen=True)
class _Row:
    number: int
    identifier: str
    label: str


def gold_read(path: Path, *, campaign: Campaign) -> dict[int, str]:
    """Read columns `id` and `label` of a CSV file; give labels by the subjects' keys.

    Every row is checked against the campaign, and an error names the first that is wrong; other
    columns are ignored.
    """
    rows = _rows(path)
    survey = campaign.sorting.survey
    keys: dict[str, int] = {}
    identifiers = [row.identifier for row in rows]
    for chunk in chunks(identifiers):
        keys |= survey.subjects.filter(identifier__in=chunk).values_list("identifier", "pk")
    places = places_of(campaign, keys.values())
    classes = tree_classes(question_newest(campaign).tree)
    labels: dict[int, str] = {}
    for row in rows:
        where = f"{path.name}, row {row.number}"
        if row.identifier not in keys:
            raise GoldFileError(f"{where}: survey {survey.slug} has no subject {row.identifier!r}.")
        subject = keys[row.identifier]
        if subject in labels:
            raise GoldFileError(f"{where}: {row.identifier} stands in an earlier row already.")
        try:
            label_check(classes, row.label)
            place_check(places, subject)
        except ProposalError as error:
            raise GoldFileError(f"{where}, {row.identifier}: {error}") from error
        labels[subject] = row.label
    return labels


def _rows(path: Path) -> list[_Row]:
    """Read the rows; the header is row 1, as a spreadsheet shows it."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise GoldFileError(f"{path.name} needs the columns id and label in its first row.")
            return [
                _Row(number, (row["id"] or "").strip(), (row["label"] or "").strip())
                for number, row in enumerate(reader, start=2)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GoldFileError(f"The table {path} cannot be read: {error}") from error
