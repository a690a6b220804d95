"""Reads a campaign's votes and its map as arrays, and keeps what their indices mean.

Rows come one by one and become a few bytes of an array each, so that a million votes on a million
subjects fit into memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.voting.models import Campaign, GridMember, Item, Question, Vote
from protozoo.voting.proposals import chunks
from protozoo.voting.trees import MIXED, Answer, Tree, tree_classes, tree_leaves
from skysort.consensus.merge import CellTable, GridTable, VoteTable

IntArray = NDArray[np.int64]

# Rows that are read from the database at once.
READ_SIZE: Final = 5000

_PLACE: Final = np.dtype(
    [("subject", "i8"), ("best", "i8"), ("second", "i8"), ("d", "f8"), ("d2", "f8"), ("audit", "?")]
)
_PLACE_FIELDS: Final = (
    "subject_id", "prototype_id", "second_prototype_id", "distance", "second_distance",
    "subject__is_audit",
)  # fmt: skip
_VOTE: Final = np.dtype(
    [("vote", "i8"), ("item", "i8"), ("volunteer", "i8"), ("answer", "i4"), ("seconds", "f8")]
)
_ITEM: Final = np.dtype([("item", "i8"), ("kind", "U10"), ("prototype", "i8"), ("subject", "i8")])


@dataclass(frozen=True)
class Places:
    """Every subject's place on the map; keys of the database by the arrays' indices.

    Subjects ascend by their keys. Prototypes follow the order of their units; after those of the
    map come those of its child maps, whose subjects lie there and not at the parent. `shown_at`
    gives for each the prototype of the map itself whose members are shown in grids.
    """

    cells: CellTable
    subjects: IntArray
    prototypes: IntArray
    shown_at: IntArray
    is_audit: NDArray[np.bool_]

    def subjects_at(self, keys: Iterable[int] | IntArray) -> IntArray:
        """Give the indices of subjects; -1 for a key that has no place."""
        return _index(self.subjects, np.asarray(keys, dtype=np.int64))


@dataclass(frozen=True)
class Ballots:
    """The votes of a campaign; keys of the database by the table's indices.

    Grids are no items of the table; their answers count in `n_votes`, `seconds` and `effort`.
    """

    votes: VoteTable
    items: IntArray
    item_kinds: NDArray[np.str_]
    volunteers: IntArray
    effort: dict[str, "Effort"]
    last_vote_id: int

    @property
    def n_votes(self) -> int:
        return sum(effort.n_votes for effort in self.effort.values())

    @property
    def seconds(self) -> float:
        return sum(effort.seconds for effort in self.effort.values())


@dataclass(frozen=True)
class Effort:
    """Answers to one kind of item, the time that they took and what one usually takes."""

    n_votes: int
    seconds: float
    median_seconds: float


# What counts --------------------------------------------------------------------------------
def votes_that_count(campaign: Campaign, question: Question) -> QuerySet[Vote]:
    """Leave out superseded votes, and answers that the newest question no longer offers."""
    answers = [leaf["key"] for leaf in tree_leaves(question.tree)]
    classes = tree_classes(question.tree)
    in_tree = Q(ticked__isnull=True, answer__in=answers)
    in_grid = Q(ticked__isnull=False, item__label__in=classes)
    return Vote.objects.filter(in_tree | in_grid, item__campaign=campaign, superseded_at=None)


def gold_labels(campaign: Campaign, question: Question) -> dict[int, str]:
    """Give the classes of gold subjects, as far as the newest question knows them."""
    gold = campaign.items.filter(kind=Item.Kind.GOLD, label__in=tree_classes(question.tree))
    return {key: label for key, label in gold.values_list("subject_id", "label") if key}


def classes_of(tree: Tree) -> list[str]:
    """Give the classes of items: those of the catalog and, if people may say so, 'mixed'."""
    classes = tree_classes(tree)
    is_offered = any(leaf.get("means") == MIXED for leaf in tree_leaves(tree))
    return [*classes, MIXED] if is_offered else classes


# The map ------------------------------------------------------------------------------------
def places_read(campaign: Campaign) -> Places:
    """Read where all subjects lie."""
    prototypes = shown_at = _units(campaign.sorting_id)
    rows = _places_on(campaign.sorting_id)
    for child in _children(campaign):
        below = _places_on(child.pk)
        rows[np.searchsorted(rows["subject"], below["subject"])] = below
        units = _units(child.pk)
        prototypes = np.concatenate([prototypes, units])
        shown_at = np.concatenate([shown_at, np.full(len(units), child.parent_id)])
    cells = CellTable(
        _index(prototypes, rows["best"]),
        _index(prototypes, rows["second"]),
        rows["d"].copy(),
        rows["d2"].copy(),
        len(prototypes),
    )
    return Places(cells, rows["subject"].copy(), prototypes, shown_at, rows["audit"].copy())


def _units(sorting_id: int) -> IntArray:
    units = Prototype.objects.filter(sorting=sorting_id).order_by("row", "column")
    return np.fromiter(units.values_list("pk", flat=True), dtype=np.int64)


def _places_on(sorting_id: int) -> NDArray[Any]:
    places = Assignment.objects.filter(sorting=sorting_id).order_by("subject_id")
    return _rows(places, _PLACE_FIELDS, _PLACE)


def _children(campaign: Campaign) -> QuerySet[Sorting]:
    """Give the child maps that the campaign asks about."""
    asked = campaign.items.filter(kind=Item.Kind.PROTOTYPE).values("prototype__sorting")
    ready = Sorting.objects.filter(state=Sorting.State.READY, pk__in=asked)
    return ready.filter(parent__isnull=False).order_by("pk")


# The votes ----------------------------------------------------------------------------------
def ballots_read(
    campaign: Campaign, question: Question, places: Places, *, earlier: IntArray
) -> Ballots:
    """Read all votes that count; volunteers of an earlier reading keep their indices."""
    leaves = tree_leaves(question.tree)
    answers, classes = [leaf["key"] for leaf in leaves], classes_of(question.tree)
    items = _items(campaign)
    counted = votes_that_count(campaign, question).order_by("pk")
    votes = _tree_votes(counted.filter(ticked__isnull=True), answers)
    grids = list(
        counted.filter(ticked__isnull=False)
        .values_list("pk", "item_id", "volunteer_id", "answer", "seconds", "ticked", "item__label")
        .iterator(chunk_size=READ_SIZE)
    )
    voters = np.union1d(votes["volunteer"], np.array([row[2] for row in grids], dtype=np.int64))
    volunteers = np.concatenate([earlier, np.setdiff1d(voters, earlier)])
    gold = gold_labels(campaign, question)
    subjects = places.subjects_at(list(gold))
    table = VoteTable(
        item=_index(items["item"], votes["item"]),
        worker=_index(volunteers, votes["volunteer"]),
        answer=votes["answer"].astype(np.int64),
        item_cell=_index(places.prototypes, items["prototype"]),
        item_subject=places.subjects_at(items["subject"]),
        n_workers=len(volunteers),
        answers=answers,
        classes=classes,
        class_of_answer=np.array([_class_of(leaf, classes) for leaf in leaves], dtype=np.int64),
        grids=_grid_table(grids, places, volunteers, classes),
        audit=np.flatnonzero(places.is_audit),
        known={
            int(place): classes.index(label)
            for place, label in zip(subjects, gold.values(), strict=True)
        },
    )
    newest = [int(votes["vote"][-1])] if len(votes) else []
    return Ballots(
        votes=table,
        items=items["item"].copy(),
        item_kinds=items["kind"].copy(),
        volunteers=volunteers,
        effort=_effort(items, votes, np.array([row[4] for row in grids])),
        last_vote_id=max(newest + [row[0] for row in grids], default=0),
    )


def _items(campaign: Campaign) -> NDArray[Any]:
    """Read the items that show a prototype or a subject; 0 stands for none, as no key does."""
    items = campaign.items.exclude(kind=Item.Kind.GRID).order_by("pk")
    found = items.values_list("pk", "kind", "prototype_id", "subject_id")
    rows = ((pk, kind, cell or 0, subject or 0) for pk, kind, cell, subject in found.iterator())
    return np.fromiter(rows, dtype=_ITEM)


def _tree_votes(votes: QuerySet[Vote], answers: list[str]) -> NDArray[Any]:
    place = {key: index for index, key in enumerate(answers)}
    found = votes.values_list("pk", "item_id", "volunteer_id", "answer", "seconds")
    rows = ((*row[:3], place[row[3]], row[4]) for row in found.iterator(chunk_size=READ_SIZE))
    return np.fromiter(rows, dtype=_VOTE)


def _grid_table(
    grids: list[tuple[Any, ...]], places: Places, volunteers: IntArray, classes: list[str]
) -> GridTable:
    """Give every member of every grid that was sorted; "too mixed to say" judges none."""
    judged = [row for row in grids if row[3] == Vote.Verdict.SORTED]
    members = _members({row[1] for row in judged})
    sizes = [len(members[row[1]]) for row in judged]
    if not sum(sizes):
        return GridTable.empty()
    subjects = np.concatenate([members[row[1]] for row in judged])
    ticked = [member in row[5] for row in judged for member in members[row[1]]]
    return GridTable(
        places.subjects_at(subjects),
        _index(volunteers, np.repeat([row[2] for row in judged], sizes)),
        np.repeat([classes.index(row[6]) for row in judged], sizes),
        np.array(ticked, dtype=bool),
    )


def _members(items: set[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {item: [] for item in items}
    for chunk in chunks(sorted(items)):
        shown = GridMember.objects.filter(item__in=chunk).order_by("item", "place")
        for item, subject in shown.values_list("item_id", "subject_id").iterator():
            found[item].append(subject)
    return found


def _effort(
    items: NDArray[Any], votes: NDArray[Any], grid_seconds: NDArray[np.float64]
) -> dict[str, Effort]:
    kinds = items["kind"][_index(items["item"], votes["item"])]
    seconds = {str(kind): votes["seconds"][kinds == kind] for kind in np.unique(kinds)}
    if len(grid_seconds):
        seconds[Item.Kind.GRID.value] = grid_seconds
    return {
        kind: Effort(len(taken), float(taken.sum()), float(np.median(taken)))
        for kind, taken in seconds.items()
    }


def _class_of(leaf: Answer, classes: list[str]) -> int:
    match leaf.get("means"):
        case "class":
            return classes.index(leaf["key"])
        case "mixed":
            return classes.index(MIXED)
        case _:
            return -1


def _rows(rows: QuerySet[Any], fields: tuple[str, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    found = rows.values_list(*fields).iterator(chunk_size=READ_SIZE)
    return np.fromiter(found, dtype=dtype)


def _index(keys: IntArray, wanted: NDArray[Any]) -> IntArray:
    """Find the places of keys, in whatever order they lie; -1 for those that are not there."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(keys, kind="stable")
    place = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
    return np.where(keys[place] == wanted, place, -1)
