"""What a campaign has shown as rows of a subject export."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from protozoo.sorting.models import Prototype
from protozoo.sorting.pictures import prototype_picture_url
from protozoo.subjects.models import Subject
from protozoo.subjects.pictures import subject_picture_url
from protozoo.voting.models import Campaign, Item
from protozoo.voting.zooniverse.identities import (
    PROTOTYPE_IDS,
    READ_SIZE,
    Identities,
    about_prototype,
    about_subject,
    moment,
    reason_of,
)
from skysort.zooniverse.rows import SubjectRow, json_text

PICTURE_SIZE: Final = 512


class SubjectTable:
    """Subjects of Zooniverse first, then those of our own items, then prototypes.

    `site` is put before the addresses of pictures.
    """

    def __init__(self, campaign: Campaign, *, site: str = "") -> None:
        self._campaign = campaign
        self._site = site
        self._ids = Identities(campaign)

    def __iter__(self) -> Iterator[SubjectRow]:
        yield from self._subjects_of_zooniverse()
        for subject, item in self._own_subjects():
            yield self._subject_row(subject, item)
        prototypes = (
            self._campaign.items.filter(kind=Item.Kind.PROTOTYPE)
            .select_related("prototype__sorting")
            .order_by("prototype")
        )
        for item in prototypes.iterator(chunk_size=READ_SIZE):
            assert item.prototype is not None  # the database's constraint item_shows_one_thing
            yield self._prototype_row(item, item.prototype)

    def _subjects_of_zooniverse(self) -> Iterator[SubjectRow]:
        kept = self._campaign.zooniverse_classifications.order_by("pk")
        counts: Counter[tuple[str, str]] = Counter()
        for workflow, ids in kept.values_list("workflow_id", "subject_ids").iterator():
            counts.update((workflow, subject) for subject in ids.split(";"))
        rows = kept.values_list("workflow_id", "subject_data")
        for workflow, data in rows.iterator(chunk_size=READ_SIZE):
            for subject, metadata in json.loads(data).items():
                if n_classifications := counts.pop((workflow, subject), 0):  # told once
                    yield _row_of_zooniverse(subject, workflow, metadata, n_classifications)

    def _own_subjects(self) -> Iterator[tuple[Subject, Item | None]]:
        """Give all subjects that were asked about alone or in a grid, each once."""
        items = self._campaign.items
        alone = items.filter(subject__isnull=False).order_by("subject", "pk")
        last = 0
        for item in alone.select_related("subject").iterator(chunk_size=READ_SIZE):
            assert item.subject is not None  # the filter above
            if item.subject.pk != last and item.subject.pk not in self._ids.at_zooniverse:
                last = item.subject.pk
                yield item.subject, item
        in_grids = items.filter(kind=Item.Kind.GRID).values("members__subject")
        members = Subject.objects.filter(pk__in=in_grids).exclude(
            pk__in=items.filter(subject__isnull=False).values("subject")
        )
        for subject in members.order_by("pk").iterator(chunk_size=READ_SIZE):
            if subject.pk not in self._ids.at_zooniverse:
                yield subject, None

    def _subject_row(self, subject: Subject, item: Item | None) -> SubjectRow:
        picture = subject_picture_url(subject, size=PICTURE_SIZE)
        return SubjectRow(
            subject_id=self._ids.subject(subject.pk),
            metadata=json_text({**about_subject(subject), **subject.columns}),
            locations=json_text({"0": self._site + picture}),
            **self._shared(item),
        )

    def _prototype_row(self, item: Item, prototype: Prototype) -> SubjectRow:
        picture = prototype_picture_url(prototype, size=PICTURE_SIZE)
        return SubjectRow(
            subject_id=str(PROTOTYPE_IDS + prototype.pk),
            metadata=json_text(about_prototype(prototype)),
            locations=json_text({"0": self._site + picture}),
            **self._shared(item),
        )

    def _shared(self, item: Item | None) -> dict[str, str]:
        retired_at = item.retired_at if item else None
        created = moment(self._campaign.created_at)
        return {
            "project_id": self._ids.workflow,
            "workflow_id": self._ids.workflow,
            "subject_set_id": self._ids.subject_set,
            "classifications_count": str(item.n_votes if item else 0),
            "retired_at": moment(retired_at) if retired_at else "",
            "retirement_reason": reason_of(item) if item and retired_at else "",
            "created_at": created,
            "updated_at": created,
        }


def _row_of_zooniverse(
    subject: str, workflow: str, metadata: dict[str, Any], n_classifications: int
) -> SubjectRow:
    """Give what classifications tell of a subject; the rest of it stayed at Zooniverse."""
    retired = metadata.pop("retired", None)
    told = retired if isinstance(retired, dict) else {}
    return SubjectRow(
        subject_id=subject,
        project_id="",
        workflow_id=workflow,
        subject_set_id="",
        metadata=json_text(metadata),
        locations="{}",
        classifications_count=str(n_classifications),
        retired_at=str(told.get("retired_at") or ""),
        retirement_reason=str(told.get("retirement_reason") or ""),
        created_at="",
        updated_at="",
    )
