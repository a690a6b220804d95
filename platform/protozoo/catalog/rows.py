"""Makes the rows of a release out of a consensus run, the map and the scientists' reviews."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from protozoo.catalog.columns import ascii_text
from protozoo.catalog.exceptions import ReleaseError
from protozoo.catalog.models import Entry, Release
from protozoo.consensus.models import SubjectPosterior
from protozoo.sorting.models import Assignment

# Rows that are made and written at once: few enough for memory, enough for speed.
BATCH_SIZE: Final = 5_000
# Double precision, summed over a dozen classes.
SUM_TOLERANCE: Final = 1e-6
CONFIDENT: Final = 0.9


@dataclass
class Tally:
    """What is counted while rows go by; widths are those of texts in ASCII."""

    n_rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    n_confident: int = 0
    sum_entropy_bits: float = 0.0
    id_width: int = 1
    label_width: int = 1

    def add(self, entries: Sequence[Entry]) -> None:
        self.n_rows += len(entries)
        self.labels.update(entry.label for entry in entries)
        self.sources.update(entry.source for entry in entries)
        self.n_confident += sum(max(entry.probabilities) >= CONFIDENT for entry in entries)
        self.sum_entropy_bits += sum(entry.entropy_bits for entry in entries)
        widths = [len(ascii_text(entry.identifier)) for entry in entries]
        self.id_width = max(self.id_width, *widths)
        self.label_width = max(len(ascii_text(label)) for label in self.labels)


def new_entries(release: Release) -> Iterator[list[Entry]]:
    """Make the rows of a release, batch by batch: three queries for each."""
    last = 0
    while posteriors := _posteriors(release, last):
        last = posteriors[-1].subject_id
        keys = [posterior.subject_id for posterior in posteriors]
        _check_probabilities(posteriors, release)
        assignments = _assignments(release, keys)
        reviewed = _reviewed_labels(release, keys)
        yield [
            _entry(release, posterior, assignments, reviewed.get(posterior.subject_id))
            for posterior in posteriors
        ]


def _posteriors(release: Release, last: int) -> list[SubjectPosterior]:
    found = release.run.subjects.filter(subject_id__gt=last).select_related("subject")
    return list(found.defer("subject__columns").order_by("subject_id")[:BATCH_SIZE])


def _assignments(release: Release, keys: Sequence[int]) -> dict[int, Assignment]:
    """Find the places of subjects on the map; `keys` are sorted."""
    found = Assignment.objects.filter(
        sorting=release.campaign.sorting_id, subject__gte=keys[0], subject__lte=keys[-1]
    )
    return {row.subject_id: row for row in found.select_related("prototype")}


def _reviewed_labels(release: Release, keys: Sequence[int]) -> dict[int, str]:
    """Give the newest reviewed label of each subject that has one."""
    reviews = release.campaign.reviews.filter(
        pk__lte=release.last_review_id, subject__gte=keys[0], subject__lte=keys[-1]
    )
    return dict(reviews.order_by("created_at", "pk").values_list("subject_id", "label"))


def _check_probabilities(posteriors: Sequence[SubjectPosterior], release: Release) -> None:
    n_classes = len(release.run.classes)
    for posterior in posteriors:
        values = posterior.probabilities
        if len(values) != n_classes or not abs(sum(values) - 1) <= SUM_TOLERANCE:
            raise ReleaseError(
                f"The probabilities of subject {posterior.subject.identifier} in consensus run"
                f" {release.run_id} are {len(values)} numbers with sum {sum(values):g}; they must"
                f" be {n_classes}, one for each class, with sum 1. Merge the votes again."
            )


def _entry(
    release: Release,
    posterior: SubjectPosterior,
    assignments: dict[int, Assignment],
    reviewed: str | None,
) -> Entry:
    subject = posterior.subject
    assignment = assignments.get(subject.pk)
    if assignment is None:
        raise ReleaseError(
            f"Subject {subject.identifier} is in consensus run {release.run_id} but has no place"
            " on the campaign's map. Merge the votes again."
        )
    label = posterior.label if reviewed is None else reviewed
    return Entry(
        release=release,
        subject=subject,
        identifier=subject.identifier,
        ra_deg=subject.ra_deg,
        dec_deg=subject.dec_deg,
        healpix=subject.healpix,
        label=label,
        probability=_probability(label, release.run.classes, posterior.probabilities),
        probabilities=posterior.probabilities,
        entropy_bits=posterior.entropy_bits,
        source=_main_source(posterior) if reviewed is None else Entry.Source.REVIEW,
        weight_prototype=posterior.weight_prototype,
        weight_direct=posterior.weight_direct,
        weight_prior=posterior.weight_prior,
        n_votes_prototype=posterior.n_votes_prototype,
        n_votes_direct=posterior.n_votes_direct,
        prototype_row=assignment.prototype.row,
        prototype_column=assignment.prototype.column,
        distance=assignment.distance,
        angle_rad=assignment.angle_rad,
        is_flipped=assignment.is_flipped,
        outlier_rank=assignment.outlier_rank,
        outlier_score=assignment.outlier_score,
        is_audit=subject.is_audit,
    )


def _probability(label: str, classes: Sequence[str], probabilities: Sequence[float]) -> float:
    return probabilities[classes.index(label)] if label in classes else 0.0


def _main_source(posterior: SubjectPosterior) -> str:
    weights: dict[str, float] = {
        Entry.Source.DIRECT: posterior.weight_direct,
        Entry.Source.PROTOTYPE: posterior.weight_prototype,
        Entry.Source.PRIOR: posterior.weight_prior,
    }
    return max(weights, key=lambda source: weights[source])
