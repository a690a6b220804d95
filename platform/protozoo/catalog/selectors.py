"""Finds frozen releases, their rows, and what could be frozen next."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.db.models import OuterRef, QuerySet, Subquery

from protozoo.catalog.models import Entry, Release
from protozoo.consensus.models import ConsensusRun, Review
from protozoo.jobs.models import Job
from protozoo.sky.positions import separation_arcsec
from protozoo.sky.selectors import Cone, rows_in_cone
from protozoo.voting.models import Campaign

FREEZE_TASK = "protozoo.catalog.tasks.freeze"


@dataclass(frozen=True)
class Candidate:
    """A campaign's newest consensus, the release that holds it already, and work under way."""

    run: ConsensusRun
    release: Release | None
    job: Job | None


def releases() -> QuerySet[Release]:
    """All frozen releases; unfinished ones are nobody's business."""
    return Release.objects.filter(frozen_at__isnull=False).select_related(
        "campaign__sorting__survey", "run__question"
    )


def release_entries(release: Release) -> QuerySet[Entry]:
    return release.entries.order_by("pk")


def first_entries(release: Release, n_most: int) -> list[Entry]:
    return list(release_entries(release).select_related("subject")[:n_most])


def entries_matching(
    release: Release, *, cone: Cone | None, label: str, n_most: int
) -> tuple[int, list[Entry]]:
    """Count the rows in a cone or of a class, and give the nearest or first of them."""
    rows = release_entries(release).select_related("subject")
    if label:
        rows = rows.filter(label=label)
    if cone is None:
        return rows.count(), list(rows[:n_most])
    inside = _nearest_first(list(rows_in_cone(rows, cone)), cone)
    return len(inside), inside[:n_most]


def entries_near(release: Release, cone: Cone, n_most: int) -> list[Entry]:
    """Give the rows in a cone, the nearest first."""
    return _nearest_first(list(rows_in_cone(release_entries(release), cone)), cone)[:n_most]


def _nearest_first(entries: list[Entry], cone: Cone) -> list[Entry]:
    if not entries:
        return []
    apart = separation_arcsec(
        [entry.ra_deg for entry in entries],
        [entry.dec_deg for entry in entries],
        cone.ra_deg,
        cone.dec_deg,
    )
    return [entries[place] for place in np.argsort(apart, kind="stable")]


def newest_run(campaign: Campaign) -> ConsensusRun | None:
    return campaign.consensus_runs.select_related("campaign", "question").first()


def newest_review_id(campaign: Campaign) -> int:
    """Tell up to which review a release goes that is made now; 0 without any."""
    return campaign.reviews.order_by("-pk").values_list("pk", flat=True).first() or 0


def release_of(run: ConsensusRun, last_review_id: int) -> Release | None:
    """Find the release that holds exactly this run and these reviews."""
    return releases().filter(run=run, last_review_id=last_review_id).first()


def candidates() -> list[Candidate]:
    """Give the newest consensus of each campaign; four queries, however many campaigns."""
    newest = ConsensusRun.objects.filter(campaign=OuterRef("campaign")).order_by(
        "-created_at", "-pk"
    )
    reviews = Review.objects.filter(campaign=OuterRef("campaign")).order_by("-pk")
    runs = (
        ConsensusRun.objects.filter(pk=Subquery(newest.values("pk")[:1]))
        .annotate(last_review_id=Subquery(reviews.values("pk")[:1]))
        .select_related("campaign")
    )
    held = {
        (release.run_id, release.last_review_id): release
        for release in releases().filter(run__in=[run.pk for run in runs])
    }
    jobs = {job.arguments.get("campaign_id"): job for job in freeze_jobs()}
    return [
        Candidate(run, held.get((run.pk, run.last_review_id or 0)), jobs.get(run.campaign_id))
        for run in runs
    ]


def freeze_jobs() -> QuerySet[Job]:
    """All freezing that waits or runs."""
    return Job.objects.filter(
        task=FREEZE_TASK, state__in=[Job.State.QUEUED, Job.State.RUNNING]
    ).order_by("pk")


def release_file(release: Release, name: str) -> tuple[Path, str] | None:
    """Find a file of a release and its SHA-256; only names that the release lists."""
    known = {file["name"]: file["sha256"] for file in release.files}
    path = release.folder / name
    return (path, known[name]) if name in known and path.is_file() else None
