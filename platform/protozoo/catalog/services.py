"""Freezes catalogs: rows first, then files in a folder of their own, then the date.

Until the date is written nobody sees the release, and the next freezing of the campaign clears
away whatever a killed one has left. Nothing here changes a release that has its date.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from protozoo.accounts.models import User
from protozoo.catalog.columns import Column, Records, columns_of, read_records, record_type
from protozoo.catalog.exceptions import NothingToReleaseError, ReleaseBusyError, ReleaseError
from protozoo.catalog.models import Entry, Release
from protozoo.catalog.provenance import about_of, figures_of, provenance_of, readme_of
from protozoo.catalog.rows import Tally, new_entries
from protozoo.catalog.selectors import (
    FREEZE_TASK,
    freeze_jobs,
    newest_review_id,
    newest_run,
    release_of,
)
from protozoo.catalog.writers import write_csv, write_fits, write_votable
from protozoo.consensus.writing import KEPT_RUNS
from protozoo.jobs.models import Job
from protozoo.jobs.services import Report, job_create, silent
from protozoo.voting.models import Campaign

CHECKSUMS: Final = "sha256sums.txt"
READ_ONLY: Final = 0o444


def release_freeze(
    *,
    campaign: Campaign,
    created_by: User | None = None,
    notes: str = "",
    report: Report = silent,
) -> Release:
    """Freeze the campaign's newest consensus, or give the release that already holds it."""
    with _only_freezer(campaign):
        for unfinished in campaign.releases.filter(frozen_at=None):
            _discard(unfinished)
        run = newest_run(campaign)
        if run is None:
            raise NothingToReleaseError(
                _(
                    "The votes of %(campaign)s were never merged;"
                    " merge them before freezing a release."
                )
                % {"campaign": campaign}
            )
        last_review_id = newest_review_id(campaign)
        existing = release_of(run, last_review_id)
        if existing is not None:
            return existing
        release = Release.objects.create(
            campaign=campaign,
            run=run,
            last_review_id=last_review_id,
            version=_next_version(campaign),
            notes=notes,
            created_by=created_by,
        )
        try:
            _fill(release, report)
        except BaseException:
            _discard(release)
            raise
    report(2 * release.n_rows, 2 * release.n_rows, f"release {release.version} is frozen")
    return release


def release_freeze_later(*, campaign: Campaign, created_by: User, notes: str = "") -> Job:
    """Let a worker freeze; while one is at it, that job is the answer."""
    if newest_run(campaign) is None:
        raise NothingToReleaseError(
            _("The votes of %(campaign)s were never merged; merge them before freezing a release.")
            % {"campaign": campaign}
        )
    underway = freeze_jobs().filter(arguments__campaign_id=campaign.pk).first()
    if underway is not None:
        return underway
    return job_create(
        task=FREEZE_TASK,
        arguments={
            "campaign_id": campaign.pk,
            "created_by_id": created_by.pk,
            "notes": notes,
        },
        title=f"Freeze a release of {campaign}"[:200],
        created_by=created_by,
    )


@contextmanager
def _only_freezer(campaign: Campaign) -> Iterator[None]:
    """Keep a second freezing of the campaign out; the lock dies with the process."""
    folder = Path(settings.STORAGE_FOLDER) / "releases" / campaign.slug
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ReleaseBusyError(
                _("A release of %(campaign)s is being frozen already; it will be there soon.")
                % {"campaign": campaign}
            ) from error
        yield


def _next_version(campaign: Campaign) -> int:
    newest: int | None = campaign.releases.aggregate(newest=Max("version"))["newest"]
    return (newest or 0) + 1


def _discard(release: Release) -> None:
    """Clear away what an unfinished freezing has left."""
    if Release.objects.filter(pk=release.pk, frozen_at__isnull=False).exists():
        raise ReleaseError(f"{release} is frozen; nothing of it is ever removed.")
    shutil.rmtree(_partial_folder(release), ignore_errors=True)
    shutil.rmtree(release.folder, ignore_errors=True)
    release.entries.all().delete()
    Release.objects.filter(pk=release.pk).delete()


def _partial_folder(release: Release) -> Path:
    return release.folder.with_name(f".{release.folder.name}.partial")


def _fill(release: Release, report: Report) -> None:
    tally = _write_entries(release, report)
    columns = columns_of(
        release.run.classes, id_width=tally.id_width, label_width=tally.label_width
    )
    release.n_rows = tally.n_rows
    release.figures = figures_of(release, tally)
    release.provenance = provenance_of(release, columns)
    folder = _partial_folder(release)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write_files(release, columns, folder, report)
    release.files = _list_files(folder)
    _check_kept(release)
    with transaction.atomic():
        release.frozen_at = timezone.now()
        release.save()
        folder.rename(release.folder)


def _check_kept(release: Release) -> None:
    """Refuse what was written while later merges may have cleared the run's rows away."""
    kept = release.campaign.consensus_runs.values_list("pk", flat=True)[:KEPT_RUNS]
    if release.run_id not in set(kept):
        raise ReleaseError(
            f"While {release} was being frozen, the votes were merged {KEPT_RUNS} times more, and"
            f" consensus run {release.run_id} is no longer kept. Freeze the newest one."
        )


def _write_entries(release: Release, report: Report) -> Tally:
    n_rows = release.run.subjects.count()
    n_subjects = release.campaign.sorting.assignments.count()
    if n_rows == 0 or n_rows != n_subjects:
        raise ReleaseError(
            f"Consensus run {release.run_id} knows {n_rows} subjects and the map {n_subjects}; a"
            " release holds every subject of the map. Merge the votes again before freezing."
        )
    tally = Tally()
    for entries in new_entries(release):
        Entry.objects.bulk_create(entries)
        tally.add(entries)
        report(tally.n_rows, 2 * n_rows, f"{tally.n_rows} rows written")
    return tally


def _write_files(release: Release, columns: list[Column], folder: Path, report: Report) -> None:
    records = _all_records(release, columns, report)
    about = about_of(release)
    report(2 * len(records) - 1, 2 * len(records), "writing catalog.csv")
    write_csv(folder / "catalog.csv", columns, records)
    report(2 * len(records) - 1, 2 * len(records), "writing catalog.fits")
    write_fits(folder / "catalog.fits", columns, records, about)
    report(2 * len(records) - 1, 2 * len(records), "writing catalog.vot")
    write_votable(folder / "catalog.vot", columns, records, about)
    (folder / "README.md").write_text(readme_of(release, columns), encoding="utf-8")
    provenance = json.dumps(release.provenance, indent=2, ensure_ascii=False)
    (folder / "provenance.json").write_text(provenance + "\n", encoding="utf-8")


def _all_records(release: Release, columns: list[Column], report: Report) -> Records:
    """Hold the whole catalog: about 150 bytes a row."""
    records = np.empty(release.n_rows, record_type(columns))
    done = 0
    for batch in read_records(release, columns):
        records[done : done + len(batch)] = batch
        done += len(batch)
        report(release.n_rows + done - 1, 2 * release.n_rows, f"{done} rows read back")
    return records


def _list_files(folder: Path) -> list[dict[str, Any]]:
    """Describe every file of a release and write the list that `sha256sum -c` reads."""
    files = [_describe(path) for path in sorted(folder.iterdir())]
    lines = [f"{file['sha256']}  {file['name']}\n" for file in files]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="ascii")
    for path in folder.iterdir():
        path.chmod(READ_ONLY)
    return [*files, _describe(folder / CHECKSUMS)]


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}
