"""Decides what vote a Zooniverse classification makes, if any; writes nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from django.utils import timezone

from protozoo.sorting.models import Prototype
from protozoo.voting.exceptions import AnswerError, MarksError, RemarksError
from protozoo.voting.marks import Mark, marks_check
from protozoo.voting.models import Campaign, Item, Question, Vote, ZooniverseClassification
from protozoo.voting.proposals import LEAST_GROUP, MOST_MEMBERS, chunks
from protozoo.voting.remarks import Remarks, remarks_check
from protozoo.voting.trees import tree_classes, tree_leaf
from protozoo.voting.votes import MAX_SECONDS
from protozoo.voting.zooniverse.answers import AnswerFinder
from protozoo.voting.zooniverse.own import OwnAnswer, Unit, own_read
from protozoo.voting.zooniverse.subjects import KnownSubject, SubjectMatcher
from skysort.zooniverse.classifications import Classification

Outcome = ZooniverseClassification.Outcome


@dataclass(frozen=True)
class ItemKey:
    """What tells one item of a campaign from all others; 0 is no prototype or subject."""

    kind: str
    prototype: int = 0
    subject: int = 0
    label: str = ""
    members: frozenset[int] = frozenset()

    @property
    def identity(self) -> "ItemKey":
        """A subject is gold once, whatever its label."""
        return ItemKey(self.kind, subject=self.subject) if self.kind == Item.Kind.GOLD else self


@dataclass(frozen=True)
class Ballot:
    """A vote that may be written."""

    item: ItemKey
    places: tuple[int, ...]
    question: Question
    answer: str
    path: list[str]
    seconds: float
    answered_at: datetime
    ticked: list[int] | None = None
    is_simulated: bool = False
    remarks: Remarks = field(default_factory=Remarks)
    marks: Sequence[Mark] = ()


# An item, the subjects of a grid in their places, and those that were ticked.
_Found: TypeAlias = tuple[ItemKey, tuple[int, ...], list[int] | None]


class BallotMaker:
    """Knows the campaign, its subjects and its question."""

    def __init__(self, campaign: Campaign, finder: AnswerFinder, matcher: SubjectMatcher) -> None:
        self._campaign = campaign
        self._finder = finder
        self._matcher = matcher
        # Rows of our own tell subjects by their identifiers, whatever others go by.
        self._own_matcher = SubjectMatcher(campaign.sorting.survey, column="identifier")
        self._questions = list(campaign.questions.order_by("-version"))
        self._classes = tree_classes(self._questions[0].tree)
        self._units = _units(campaign)
        self._outliers: set[int] = set(
            campaign.items.filter(kind=Item.Kind.OUTLIER).values_list("subject_id", flat=True)
        )
        self._now = timezone.now()

    @property
    def n_subjects(self) -> tuple[int, int]:
        """Give how many subjects were looked for, and how many of them the survey has."""
        matchers = (self._matcher, self._own_matcher)
        return sum(each.n_asked for each in matchers), sum(each.n_found for each in matchers)

    def learn(self, classifications: Sequence[Classification]) -> None:
        """Look up what some classifications speak of, in a few queries."""
        own = [own_read(each.metadata) is not None for each in classifications]
        pairs = list(zip(classifications, own, strict=True))
        self._own_matcher.learn([each for each, is_own in pairs if is_own])
        self._matcher.learn([each for each, is_own in pairs if not is_own])

    def make(self, classification: Classification) -> Ballot | Outcome:
        """Give the vote of a classification, or why it makes none."""
        own = own_read(classification.metadata)
        if own is not None:
            return self._own(own, classification)
        subject = _one_subject(classification, self._matcher)
        kind = _kind(subject) if subject else Item.Kind.SUBJECT
        path = self._finder.find(classification, kind=kind)
        if not isinstance(path, list):
            return path
        if subject is None:
            return Outcome.SUBJECT
        seconds = classification.seconds
        return Ballot(
            item=ItemKey(kind, subject=subject.pk),
            places=(),
            question=self._questions[0],
            answer=path[-1],
            path=path,
            seconds=min(seconds or 0.0, MAX_SECONDS),
            answered_at=min(classification.created_at, self._now),
        )

    # Rows of our own ------------------------------------------------------------------------
    def _own(self, own: OwnAnswer, classification: Classification) -> Ballot | Outcome:
        try:
            remarks = remarks_check(own.remarks)
            is_grid = own.kind == Item.Kind.GRID
            found = (self._own_grid if is_grid else self._own_single)(own, classification)
            if isinstance(found, Outcome):
                return found
            item, places, ticked = found
            question = self._question(own, item)
            shown = Item(campaign=self._campaign, kind=item.kind)
            marks = marks_check(own.marks, tree=question.tree, item=shown)
        except AnswerError:
            return Outcome.ANSWER
        except (MarksError, RemarksError, KeyError, TypeError):
            return Outcome.OTHER
        return Ballot(
            item=item,
            places=places,
            question=question,
            answer=own.answer if is_grid else own.path[-1],
            path=own.path,
            seconds=min(own.seconds, MAX_SECONDS),
            answered_at=min(own.answered_at, self._now),
            ticked=ticked,
            is_simulated=own.is_simulated,
            remarks=remarks,
            marks=marks,
        )

    def _question(self, own: OwnAnswer, item: ItemKey) -> Question:
        """Find the newest version of the question that has the answer."""
        if item.kind == Item.Kind.GRID:
            return self._questions[0]
        for question in self._questions:
            try:
                tree_leaf(question.tree, own.path, kind=item.kind)
            except AnswerError:
                continue
            return question
        raise AnswerError("No version of the question has this answer.")

    def _own_single(self, own: OwnAnswer, classification: Classification) -> _Found | Outcome:
        if own.kind == Item.Kind.PROTOTYPE:
            prototype = self._units.get(own.unit) if own.unit else None
            if prototype is None:
                return Outcome.SUBJECT
            return ItemKey(own.kind, prototype=prototype), (), None
        subject = _one_subject(classification, self._own_matcher)
        if subject is None or subject.identifier not in own.subjects:
            return Outcome.SUBJECT
        return self._own_key(own, subject), (), None

    def _own_key(self, own: OwnAnswer, subject: KnownSubject) -> ItemKey:
        """Ask the same as the other site did, as far as this campaign asks it."""
        if subject.is_audit:
            return ItemKey(Item.Kind.AUDIT, subject=subject.pk)
        if own.kind == Item.Kind.GOLD and own.label in self._classes:
            return ItemKey(own.kind, subject=subject.pk, label=own.label)
        if own.kind == Item.Kind.OUTLIER and subject.pk in self._outliers:
            return ItemKey(own.kind, subject=subject.pk)
        return ItemKey(Item.Kind.SUBJECT, subject=subject.pk)

    def _own_grid(self, own: OwnAnswer, classification: Classification) -> _Found | Outcome:
        prototype = self._units.get(own.unit) if own.unit else None
        found = [self._own_matcher.of(subject) for subject in classification.subject_ids]
        members = {subject.identifier: subject for subject in found if subject}
        if prototype is None or set(members) != set(own.subjects):
            return Outcome.SUBJECT
        places = tuple(members[name].pk for name in own.subjects)
        is_group = LEAST_GROUP <= len(set(places)) == len(places) <= MOST_MEMBERS
        if not is_group or any(subject.is_audit for subject in members.values()):
            return Outcome.SUBJECT
        if own.label not in self._classes or own.answer not in Vote.Verdict or own.path:
            return Outcome.ANSWER
        if own.ticked is None or not set(own.ticked) <= set(own.subjects):
            return Outcome.OTHER
        ticked = [members[name].pk for name in dict.fromkeys(own.ticked)]
        if ticked and own.answer == Vote.Verdict.TOO_MIXED:
            return Outcome.OTHER
        key = ItemKey(own.kind, prototype=prototype, label=own.label, members=frozenset(places))
        return key, places, ticked


def _one_subject(classification: Classification, matcher: SubjectMatcher) -> KnownSubject | None:
    """Find the one subject; of several shown together, no answer is about one of them."""
    if len(classification.subject_ids) != 1:
        return None
    return matcher.of(classification.subject_ids[0])


def _kind(subject: KnownSubject) -> Item.Kind:
    """Say what is asked of a subject; one of the audit sample is asked as such alone."""
    return Item.Kind.AUDIT if subject.is_audit else Item.Kind.SUBJECT


def _units(campaign: Campaign) -> dict[Unit, int]:
    """Give the prototypes that the campaign asks about, by map and place."""
    asked = campaign.items.filter(kind=Item.Kind.PROTOTYPE).values("prototype")
    rows = Prototype.objects.filter(pk__in=asked).values_list(
        "pk", "sorting__map_checksum", "row", "column"
    )
    return {Unit(*row[1:]): row[0] for row in rows}


def items_known(campaign: Campaign, keys: Collection[ItemKey]) -> dict[ItemKey, int]:
    """Find which of the items a campaign has already, by their identities."""
    found: dict[ItemKey, int] = {}
    for chunk in chunks(sorted({key.subject for key in keys if key.subject})):
        rows = campaign.items.filter(subject__in=chunk)
        for pk, kind, subject in rows.values_list("pk", "kind", "subject_id"):
            found[ItemKey(kind, subject=subject or 0)] = pk
    for chunk in chunks(sorted({key.prototype for key in keys if key.prototype})):
        for item in campaign.items.filter(prototype__in=chunk).prefetch_related("members"):
            members = frozenset(member.subject_id for member in item.members.all())
            found[ItemKey(item.kind, item.prototype_id or 0, 0, item.label, members)] = item.pk
    return found
