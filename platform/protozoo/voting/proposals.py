"""What may be asked beside prototypes and outliers: grids, doubtful subjects, gold subjects.

Checks come before anything is written, all in a few queries. Audit subjects are refused: the audit
sample tells the truth about a catalog only as long as nobody chooses from it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias, TypeVar

from django.db.models import Count

from protozoo.sorting.models import Assignment
from protozoo.voting.exceptions import ProposalError
from protozoo.voting.models import Campaign, Item
from protozoo.voting.selectors import question_newest
from protozoo.voting.trees import tree_classes

# As many members as can be looked at at once; fewer would waste the look at the prototype.
FEWEST_MEMBERS: Final = 9
MOST_MEMBERS: Final = 16
# A grid of one is no group.
LEAST_GROUP: Final = 2
# Databases take so many values in one statement.
CHUNK: Final = 5000

Key = TypeVar("Key", int, str)


@dataclass(frozen=True)
class GridProposal:
    """Ask of some members of a prototype which of them are not what the group is called."""

    prototype_id: int
    label: str
    subject_ids: Sequence[int]
    priority: float

    @property
    def key(self) -> "ProposalKey":
        """Tell one grid from another; the order of its members does not."""
        return self.prototype_id, self.label, frozenset(self.subject_ids)


@dataclass(frozen=True)
class SubjectProposal:
    """Ask about one doubtful subject."""

    subject_id: int
    priority: float

    @property
    def key(self) -> "ProposalKey":
        return self.subject_id


ItemProposal: TypeAlias = GridProposal | SubjectProposal
ProposalKey: TypeAlias = int | tuple[int, str, frozenset[int]]


def grid_key(item: Item) -> ProposalKey:
    """Give the key of the proposal that a grid was made of."""
    subjects = frozenset(member.subject_id for member in item.members.all())
    return item.prototype_id or 0, item.label, subjects


@dataclass(frozen=True)
class Place:
    """The prototype that a subject belongs to, and whether it is of the audit sample."""

    prototype: int
    is_audit: bool


def places_of(campaign: Campaign, subjects: Iterable[int]) -> dict[int, Place]:
    """Find where subjects lie on the campaign's map; strangers to it are left out."""
    found = {}
    for chunk in chunks(sorted(set(subjects))):
        rows = Assignment.objects.filter(sorting=campaign.sorting_id, subject__in=chunk)
        for row in rows.values_list("subject_id", "prototype_id", "subject__is_audit"):
            found[row[0]] = Place(prototype=row[1], is_audit=row[2])
    return found


def chunks(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """Cut keys into lists that one statement takes."""
    waiting = iter(keys)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


def priority_check(priority: float, *, what: str) -> None:
    if not (math.isfinite(priority) and priority >= 0):
        raise ProposalError(
            f"The priority of {what} must be a finite number that is not negative, got {priority}."
        )


def place_check(places: Mapping[int, Place], subject: int) -> Place:
    """Give a subject's place, or say why it cannot be chosen."""
    place = places.get(subject)
    if place is None:
        raise ProposalError(f"Subject {subject} has no place on the campaign's map.")
    if place.is_audit:
        raise ProposalError(
            f"Subject {subject} belongs to the audit sample, of which nobody chooses; leave it out."
        )
    return place


def label_check(classes: Sequence[str], label: str) -> None:
    if label not in classes:
        raise ProposalError(f"A label is one of {', '.join(classes)}; got {label!r}.")


# Proposals ----------------------------------------------------------------------------------
def proposals_check(campaign: Campaign, proposals: Sequence[ItemProposal]) -> None:
    """Say what is wrong with the first proposal that cannot be asked."""
    places = places_of(campaign, _subjects(proposals))
    classes = tree_classes(question_newest(campaign).tree)
    n_members = _n_members_where_few(proposals)
    for proposal in proposals:
        if isinstance(proposal, GridProposal):
            _check_grid(proposal, places, classes, n_members)
        else:
            priority_check(proposal.priority, what=f"subject {proposal.subject_id}")
            place_check(places, proposal.subject_id)


def _subjects(proposals: Iterable[ItemProposal]) -> Iterator[int]:
    for proposal in proposals:
        if isinstance(proposal, GridProposal):
            yield from proposal.subject_ids
        else:
            yield proposal.subject_id


def _n_members_where_few(proposals: Iterable[ItemProposal]) -> dict[int, int]:
    """Count the members that could be shown, of prototypes with a grid that seems too small."""
    small = {
        each.prototype_id
        for each in proposals
        if isinstance(each, GridProposal) and len(each.subject_ids) < FEWEST_MEMBERS
    }
    members = Assignment.objects.filter(prototype__in=small, subject__is_audit=False)
    return dict(members.order_by().values_list("prototype").annotate(n=Count("pk")))


def _check_grid(
    grid: GridProposal,
    places: Mapping[int, Place],
    classes: Sequence[str],
    n_members: Mapping[int, int],
) -> None:
    what = f"a grid of prototype {grid.prototype_id}"
    priority_check(grid.priority, what=what)
    label_check(classes, grid.label)
    if len(set(grid.subject_ids)) != len(grid.subject_ids):
        raise ProposalError(f"The members of {what} must differ from one another.")
    for subject in grid.subject_ids:
        if place_check(places, subject).prototype != grid.prototype_id:
            raise ProposalError(f"Subject {subject} is no member of prototype {grid.prototype_id}.")
    fewest = max(LEAST_GROUP, min(FEWEST_MEMBERS, n_members.get(grid.prototype_id, MOST_MEMBERS)))
    if not fewest <= len(grid.subject_ids) <= MOST_MEMBERS:
        raise ProposalError(
            f"The number of members of {what} must be between {fewest} and {MOST_MEMBERS}, got"
            f" {len(grid.subject_ids)}."
        )
