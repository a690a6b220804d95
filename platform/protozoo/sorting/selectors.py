"""Finds maps, prototypes, members and outliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.db.models import Count, F, FloatField, Max, Min, QuerySet, Value
from django.db.models.functions import Cast, Floor
from numpy.typing import NDArray

from protozoo.sorting.exceptions import SortingError
from protozoo.sorting.layout import neighbours
from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.subjects.models import Subject

N_BINS: Final = 40
# Rows that are read from the database at once.
BATCH_SIZE: Final = 5000


@dataclass(frozen=True)
class Histogram:
    """Counts in bins of equal width between two values."""

    lowest: float
    highest: float
    counts: Sequence[int]

    def edge(self, number: int) -> float:
        """Give the lower edge of a bin; one past the last gives the highest value."""
        return self.lowest + (self.highest - self.lowest) * number / len(self.counts)


def sortings() -> QuerySet[Sorting]:
    return Sorting.objects.select_related("survey")


def prototypes() -> QuerySet[Prototype]:
    return Prototype.objects.select_related("sorting__survey")


def prototypes_of(sorting: Sorting) -> list[Prototype]:
    """Give all prototypes in the order of their units; each knows its sorting without a query."""
    found = list(sorting.prototypes.order_by("row", "column"))
    for prototype in found:
        prototype.sorting = sorting
    return found


def adjacent_prototypes(prototype: Prototype) -> list[Prototype]:
    """Give the neighbours on the map."""
    places = set(neighbours(prototype.sorting, prototype.row, prototype.column))
    rows = {row for row, _ in places}
    near = prototype.sorting.prototypes.filter(row__in=rows).order_by("row", "column")
    found = [other for other in near if (other.row, other.column) in places]
    for other in found:
        other.sorting = prototype.sorting
    return found


def members_of(prototype: Prototype, *, farthest_first: bool = False) -> QuerySet[Assignment]:
    """Give a prototype's members, the most alike first."""
    members = prototype.members.select_related("subject__survey")
    return members.order_by("-distance" if farthest_first else "distance", "pk")


def outliers_of(sorting: Sorting) -> QuerySet[Assignment]:
    """Give all subjects, the strangest first."""
    found = sorting.assignments.select_related("subject__survey", "prototype", "outlier_leader")
    return found.order_by("outlier_rank")


def outlier_histogram(sorting: Sorting, *, n_bins: int = N_BINS) -> Histogram | None:
    """Count outlier scores in bins; None while nothing has been projected."""
    ends = sorting.assignments.aggregate(lowest=Min("outlier_score"), highest=Max("outlier_score"))
    lowest, highest = ends["lowest"], ends["highest"]
    if lowest is None:
        return None
    width = (highest - lowest) / n_bins or 1.0
    place = (F("outlier_score") - Value(lowest)) / Value(width)
    rows = (
        sorting.assignments.annotate(bin=Floor(Cast(place, FloatField())))
        .values("bin")
        .annotate(n=Count("pk"))
        .order_by("bin")
    )
    counts = [0] * n_bins
    for row in rows:
        counts[min(int(row["bin"]), n_bins - 1)] += row["n"]
    return Histogram(lowest, lowest + width * n_bins, counts)


def _subjects_sorted(sorting: Sorting) -> QuerySet[Subject]:
    """Give the subjects of a sorting: of its survey, or the members of its parent."""
    subjects = sorting.survey.subjects.order_by("shard", "row")
    if sorting.parent_id is None:
        return subjects
    return subjects.filter(assignments__prototype=sorting.parent_id)


def numbers_in_shards(sorting: Sorting) -> NDArray[np.int64]:
    """Give the places of a child map's subjects among the images of their survey."""
    everything = sorting.survey.subjects.order_by("shard", "row").values_list("pk", flat=True)
    keys = np.fromiter(everything.iterator(chunk_size=BATCH_SIZE), dtype=np.int64)
    return np.flatnonzero(np.isin(keys, subjects_in_shard_order(sorting)))


def subjects_in_shard_order(sorting: Sorting) -> NDArray[np.int64]:
    """Give the keys of the sorted subjects in the order of their pixels."""
    keys = _subjects_sorted(sorting).values_list("pk", flat=True)
    first = keys[: sorting.n_subjects].iterator(chunk_size=BATCH_SIZE)
    return np.fromiter(first, dtype=np.int64)


def features_of(sorting: Sorting, subjects: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """Give the invariant features of subjects (n, d) by their keys; None if none were written.

    Where `subjects` lie as their pixels do, the file is only mapped into memory.
    """
    if not sorting.features_path.exists():
        return None
    try:
        features: NDArray[np.float32] = np.load(sorting.features_path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise SortingError(
            f"The features of {sorting} cannot be read from {sorting.features_path}: {error}. Sort"
            " the survey again."
        ) from error
    keys = subjects_in_shard_order(sorting)
    if len(features) != len(keys):
        raise SortingError(
            f"The features of {sorting} describe {len(features)} subjects, and {len(keys)} were"
            " sorted; sort the survey again."
        )
    if np.array_equal(keys, subjects):
        return features
    order = np.argsort(keys)
    place = order[np.minimum(np.searchsorted(keys, subjects, sorter=order), len(keys) - 1)]
    strangers = subjects[keys[place] != subjects]
    if len(strangers):
        raise SortingError(f"Subject {strangers[0]} is not among those of {sorting}.")
    return np.asarray(features[place])
