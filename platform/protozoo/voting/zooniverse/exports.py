"""Gives a campaign's answers in the three tables of a Zooniverse export.

Rows that came from Zooniverse are given back as they came. A vote of ours becomes a
classification: each question of the tree is a task with the words of its answer; tags, a comment,
"this is strange" and marks are tasks of their own, marks as a drawing in pixels
from the upper left corner. A prototype is a subject, a grid the subjects that are its members, and
its answer the list of those that do not belong. What has no place in these columns stands in the
metadata (`own.py`), so that importing the export elsewhere makes the same votes.

People are named by pseudonyms. Words that somebody typed and that begin a cell are kept from
calculating in a spreadsheet by a leading apostrophe; no other column of ours can begin like a
formula, and cells that came from Zooniverse are left alone.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from protozoo.jobs.services import Report, silent
from protozoo.voting.models import Campaign, Vote
from protozoo.voting.zooniverse.classification_rows import ClassificationTable
from protozoo.voting.zooniverse.identities import READ_SIZE
from protozoo.voting.zooniverse.subject_rows import SubjectTable
from protozoo.voting.zooniverse.workflow_rows import WorkflowTable
from skysort.zooniverse.rows import (
    ClassificationRow,
    SubjectRow,
    WorkflowRow,
    table_text,
    write_rows,
)

TABLES: Final = ("classifications", "subjects", "workflows")


def zooniverse_export(
    *, campaign: Campaign, folder: Path, site: str = "", report: Report = silent
) -> dict[str, int]:
    """Write the three tables into a folder; gives their rows.

    `site` is put before the addresses of pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = Vote.objects.filter(item__campaign=campaign).count()

    def counted(rows: Iterable[Any], name: str) -> Iterator[Any]:
        for number, row in enumerate(rows, start=1):
            if number % READ_SIZE == 0:
                report(number, max(total, number), f"{name}.csv")
            yield row

    classifications = counted(ClassificationTable(campaign), "classifications")
    subjects = counted(SubjectTable(campaign, site=site), "subjects")
    workflows = counted(WorkflowTable(campaign), "workflows")
    return {
        "classifications": write_rows(
            folder / "classifications.csv", classifications, ClassificationRow
        ),
        "subjects": write_rows(folder / "subjects.csv", subjects, SubjectRow),
        "workflows": write_rows(folder / "workflows.csv", workflows, WorkflowRow),
    }


def export_text(campaign: Campaign, name: str, *, site: str = "") -> Iterator[str]:
    """Give one of the `TABLES` piece by piece."""
    if name == "classifications":
        return table_text(ClassificationTable(campaign), ClassificationRow)
    if name == "subjects":
        return table_text(SubjectTable(campaign, site=site), SubjectRow)
    return table_text(WorkflowTable(campaign), WorkflowRow)
