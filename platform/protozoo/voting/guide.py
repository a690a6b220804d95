"""Real pictures of a campaign from which volunteers learn: the field guide and the tutorial.

Nothing here is of the audit sample, which must stay as nobody has been told it. Of the gold
subjects a part is shown; the others go on measuring people.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from protozoo.sorting.models import Assignment, Prototype
from protozoo.sorting.pictures import member_picture_url, prototype_picture_url
from protozoo.sorting.selectors import members_of, outliers_of
from protozoo.subjects.models import Subject
from protozoo.subjects.pictures import subject_picture_url
from protozoo.voting.models import Campaign, Item, Vote
from protozoo.voting.selectors import question_newest
from protozoo.voting.showcase import NumberedAnswer, numbered_answers
from protozoo.voting.trees import Answer, Tree, tree_classes

_Any = TypeVar("_Any")

N_EXAMPLES: Final = 3
# Of so many gold subjects of a class one is shown.
GOLD_PER_EXAMPLE: Final = 4
# A prototype is an example of a class if so many people have named it and so large a share agrees.
LEAST_VOTES: Final = 2
LEAST_SHARE: Final = 0.75
# The tutorial's grid: so many of one group, and one of another.
N_ALIKE: Final = 5
N_TURNED: Final = 4
# So many members of a group are looked at, lest some be gold.
N_NEAREST: Final = 4 * N_ALIKE
# Without classes, two of so many large groups are told apart.
N_LARGE: Final = 8
EXAMPLE_SIZE: Final = 192
LARGE_SIZE: Final = 512


@dataclass(frozen=True)
class Example:
    """A picture to learn from."""

    url: str
    alt: str


@dataclass(frozen=True)
class GuideEntry:
    """One answer of the tree, what it means, and what it looks like."""

    numbered: NumberedAnswer
    examples: Sequence[Example]

    @property
    def number(self) -> int:
        return self.numbered.number

    @property
    def answer(self) -> Answer:
        return self.numbered.answer


@dataclass(frozen=True)
class Turning:
    """Members of a group as the telescope saw them, and turned into one frame."""

    group: Example
    before: Sequence[Example]
    after: Sequence[Example]


@dataclass(frozen=True)
class PracticeQuestion:
    """A single picture to name, and the class that others see in it, if anybody knows."""

    picture: Example
    answer: str | None


@dataclass(frozen=True)
class PracticeGrid:
    """Members of one group and one of another, at the place `odd` from 0."""

    group: Example
    members: Sequence[Example]
    odd: int


@dataclass(frozen=True)
class Tutorial:
    """What the steps of the tutorial show; a step without pictures has words alone."""

    turning: Turning | None
    question: PracticeQuestion | None
    grid: PracticeGrid | None
    outlier: Example | None


@dataclass(frozen=True)
class Guide:
    entries: Sequence[GuideEntry]
    tutorial: Tutorial


def guide_of(campaign: Campaign) -> Guide:
    """Choose the examples of a campaign as its votes stand now."""
    tree = question_newest(campaign).tree
    source = _Source(campaign, tree)
    entries = [
        GuideEntry(numbered, _examples_of(source, numbered.answer["key"]))
        for numbered in numbered_answers(tree)
    ]
    return Guide(entries, _tutorial(source))


# Where examples come from -------------------------------------------------------------------
class _Source:
    """The groups of a campaign that people are sure of, and its gold subjects."""

    def __init__(self, campaign: Campaign, tree: Tree) -> None:
        self.campaign = campaign
        self.gold = _gold_of(campaign)
        self._hidden = {item.subject_id for items in self.gold.values() for item in items}
        self.groups = _sure_groups(campaign, tree)
        self._members: dict[int, list[Assignment]] = {}

    def members(self, group: Prototype) -> list[Assignment]:
        """Give the members most alike that may be shown."""
        if group.pk not in self._members:
            shown = members_of(group).filter(subject__is_audit=False)
            self._members[group.pk] = [
                each for each in shown[:N_NEAREST] if each.subject_id not in self._hidden
            ]
        return self._members[group.pk]

    def outlier(self) -> Subject | None:
        """Give the strangest subject that may be shown."""
        found = self._ranked().filter(outlier_leader=None).first()
        return found.subject if found else None

    def ordinary(self) -> Subject | None:
        """Give the least strange subject that may be shown."""
        found = self._ranked().order_by("-outlier_rank").first()
        return found.subject if found else None

    def _ranked(self) -> QuerySet[Assignment]:
        ranked = outliers_of(self.campaign.sorting).filter(subject__is_audit=False)
        return ranked.exclude(subject__in=self._hidden)


def _gold_of(campaign: Campaign) -> dict[str, list[Item]]:
    gold: dict[str, list[Item]] = defaultdict(list)
    items = campaign.items.filter(kind=Item.Kind.GOLD).select_related("subject__survey")
    for item in items.order_by("order", "pk"):
        gold[item.label].append(item)
    return gold


def _sure_groups(campaign: Campaign, tree: Tree) -> dict[str, list[Prototype]]:
    """Give for each class the prototypes that people agree on, the surest first."""
    answers: dict[int, dict[str, int]] = defaultdict(dict)
    votes = Vote.objects.filter(
        item__campaign=campaign,
        item__kind=Item.Kind.PROTOTYPE,
        item__n_votes__gte=LEAST_VOTES,
        superseded_at=None,
    ).order_by()
    for prototype, answer, n in votes.values_list("item__prototype", "answer").annotate(
        n=Count("pk")
    ):
        answers[prototype][answer] = n
    ranked: dict[str, list[tuple[float, int, int]]] = {key: [] for key in tree_classes(tree)}
    for prototype, counts in answers.items():
        label, n = max(counts.items(), key=lambda pair: pair[1])
        share = n / sum(counts.values())
        if label in ranked and n >= LEAST_VOTES and share >= LEAST_SHARE:
            ranked[label].append((-share, -n, prototype))
    surest = {label: sorted(found)[:N_EXAMPLES] for label, found in ranked.items()}
    keys = [key for found in surest.values() for _, _, key in found]
    prototypes = Prototype.objects.select_related("sorting__survey").in_bulk(keys)
    return {label: [prototypes[key] for _, _, key in found] for label, found in surest.items()}


def _examples_of(source: _Source, label: str) -> list[Example]:
    """Give gold subjects first, then members of the surest groups, of each as many."""
    gold = source.gold.get(label, [])
    known = [item.subject for item in gold[: len(gold) // GOLD_PER_EXAMPLE] if item.subject]
    members = (each.subject for each in _in_turns(source, source.groups.get(label, [])))
    chosen = {subject.pk: subject for subject in (*known[:N_EXAMPLES], *members)}
    return [_example(subject) for subject in list(chosen.values())[:N_EXAMPLES]]


def _in_turns(source: _Source, groups: Sequence[Prototype]) -> Iterator[Assignment]:
    """Give the nearest member of each group, then the second of each, and so on."""
    for place in range(N_EXAMPLES):
        for group in groups:
            yield from source.members(group)[place : place + 1]


# The tutorial -------------------------------------------------------------------------------
def _tutorial(source: _Source) -> Tutorial:
    one, other = _two_groups(source)
    outlier = source.outlier()
    return Tutorial(
        turning=_turning(source, one) if one else None,
        question=_practice_question(source),
        grid=_practice_grid(source, one, other) if one and other else None,
        outlier=_example(outlier, size=LARGE_SIZE) if outlier else None,
    )


def _two_groups(source: _Source) -> tuple[Prototype | None, Prototype | None]:
    """Give two groups that differ: of two classes, or else far apart on the map.

    The first class of a tree is often the plainest, where one sees no turning; the last, what is
    no source at all. So the one comes from the middle, and the first is the odd one.
    """
    sure = [
        group
        for groups in source.groups.values()
        for group in groups[:1]
        if len(source.members(group)) >= N_ALIKE
    ]
    if len(sure) > 1:
        return _middle(sure[1:]), sure[0]
    prototypes = source.campaign.sorting.prototypes.filter(n_members__gte=N_ALIKE)
    large = list(
        prototypes.select_related("sorting__survey").order_by("-n_members", "pk")[:N_LARGE]
    )
    fitting = [group for group in large if len(source.members(group)) >= N_ALIKE]
    if not fitting:
        return None, None
    one, *rest = fitting
    return one, max(rest, key=lambda group: _steps_between(one, group), default=None)


def _middle(found: Sequence[_Any]) -> _Any:
    return found[len(found) // 2]


def _steps_between(one: Prototype, other: Prototype) -> int:
    return abs(one.row - other.row) + abs(one.column - other.column)


def _turning(source: _Source, group: Prototype) -> Turning:
    members = source.members(group)[:N_TURNED]
    return Turning(
        group=_group_example(group),
        before=[_example(member.subject) for member in members],
        after=[_turned(member) for member in members],
    )


def _practice_question(source: _Source) -> PracticeQuestion | None:
    """Take a picture of a known class that the field guide does not show, if there is one."""
    spare = [
        (label, each)
        for label, groups in source.groups.items()
        for group in groups[:1]
        for each in source.members(group)[N_EXAMPLES : N_EXAMPLES + 1]
    ]
    if spare:
        label, member = _middle(spare)
        return PracticeQuestion(_example(member.subject, size=LARGE_SIZE), label)
    ordinary = source.ordinary()
    return PracticeQuestion(_example(ordinary, size=LARGE_SIZE), None) if ordinary else None


def _practice_grid(source: _Source, one: Prototype, other: Prototype) -> PracticeGrid:
    alike = source.members(one)[:N_ALIKE]
    odd = one.pk % (len(alike) + 1)
    members = [*alike[:odd], source.members(other)[0], *alike[odd:]]
    return PracticeGrid(_group_example(one), [_turned(member) for member in members], odd)


# Pictures -----------------------------------------------------------------------------------
def _example(subject: Subject, *, size: int = EXAMPLE_SIZE) -> Example:
    return Example(
        subject_picture_url(subject, size=size),
        _("Picture of %(name)s") % {"name": subject.identifier},
    )


def _turned(member: Assignment) -> Example:
    return Example(
        member_picture_url(member, size=EXAMPLE_SIZE),
        _("Picture of %(name)s, turned like its group") % {"name": member.subject.identifier},
    )


def _group_example(group: Prototype) -> Example:
    return Example(prototype_picture_url(group, size=LARGE_SIZE), _("Mean picture of a group"))
