"""Makes the rows of a release out of a consensus run, the map and the scientists' reviews."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from protozoo.catalog.columns import ascii_text
from protozoo.catalog.exceptions import ReleaseError
from protozoo.catalog.models import Entry, Release
from protozoo.consensus.labels import UNKNOWN
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
    n_unknown: int = 0
    n_confident: int = 0
    sum_entropy_bits: float = 0.0
    id_width: int = 1
    label_width: int = 1

    def add(self, entries: Sequence[Entry]) -> None:
        self.n_rows += len(entries)
        self.labels.update(entry.label for entry in entries if not entry.is_unknown)
        self.n_unknown += sum(entry.is_unknown for entry in entries)
        self.sources.update(entry.source for entry in entries)
        self.n_confident += sum(
            max(entry.probabilities) >= CONFIDENT for entry in entries if not entry.is_unknown
        )
        self.sum_entropy_bits += sum(entry.entropy_bits for entry in entries)
        widths = [len(ascii_text(entry.identifier)) for entry in entries]
        self.id_width = max(self.id_width, *widths)
        labels = {entry.label for entry in entries}
        self.label_width = max(self.label_width, *(len(ascii_text(label)) for label in labels))


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
    is_unknown = posterior.is_unknown and reviewed is None
    label = UNKNOWN.key if is_unknown else reviewed or posterior.label
    return Entry(
        release=release,
        subject=subject,
        identifier=subject.identifier,
        ra_deg=subject.ra_deg,
        dec_deg=subject.dec_deg,
        healpix=subject.healpix,
        label=label,
        is_unknown=is_unknown,
        probability=0.0 if is_unknown else _probability(label, release, posterior),
        probabilities=posterior.probabilities,
        entropy_bits=posterior.entropy_bits,
        source=_main_source(posterior) if reviewed is None else Entry.Source.REVIEW,
        weight_prototype=posterior.weight_prototype,
        weight_head=posterior.weight_head,
        weight_grid=posterior.weight_grid,
        weight_direct=posterior.weight_direct,
        weight_prior=posterior.weight_prior,
        n_votes_prototype=posterior.n_votes_prototype,
        n_votes_grid=posterior.n_votes_grid,
        n_votes_direct=posterior.n_votes_direct,
        n_volunteers=posterior.n_volunteers,
        reliability=posterior.reliability,
        prototype_row=assignment.prototype.row,
        prototype_column=assignment.prototype.column,
        distance=assignment.distance,
        angle_rad=assignment.angle_rad,
        is_flipped=assignment.is_flipped,
        outlier_rank=assignment.outlier_rank,
        outlier_score=assignment.outlier_score,
        is_audit=subject.is_audit,
    )


def _probability(label: str, release: Release, posterior: SubjectPosterior) -> float:
    classes: list[str] = release.run.classes
    value: float = posterior.probabilities[classes.index(label)] if label in classes else 0.0
    return value


def _main_source(posterior: SubjectPosterior) -> str:
    """Name the heaviest source; of equal ones that which is nearest to the subject."""
    shares = posterior.sources
    return max(_NEAREST_FIRST, key=lambda source: shares[source])


_NEAREST_FIRST: Final = (
    Entry.Source.DIRECT.value,
    Entry.Source.GRID.value,
    Entry.Source.PROTOTYPE.value,
    Entry.Source.HEAD.value,
    Entry.Source.PRIOR.value,
)
