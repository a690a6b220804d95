"""Finds what the newest run believes, and what it is based on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Min, Q, QuerySet
from django.utils.translation import gettext as _

from protozoo.consensus.labels import TOO_MIXED, Label, Labels
from protozoo.consensus.models import (
    ConsensusRun,
    ItemPosterior,
    Review,
    SplitProposal,
    SubjectPosterior,
)
from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.subjects.models import Subject
from protozoo.voting.models import Campaign, GridMember, Item, Question, Vote
from protozoo.voting.selectors import items_without_consensus, question_newest
from protozoo.voting.trees import leaf_title


@dataclass(frozen=True)
class Opinion:
    """The newest campaign over a map, its question and, once votes were merged, its newest run."""

    campaign: Campaign
    question: Question
    run: ConsensusRun | None

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.question)


@dataclass(frozen=True)
class NumberedVote:
    """A vote whose volunteer is told apart from the others on the page, but not named.

    Of a grid the label is what its group was called; a subject that was ticked is not that.
    """

    vote: Vote
    volunteer: str
    label: Label
    is_ticked: bool = False


@dataclass(frozen=True)
class Undecided:
    """An item on which people do not agree: what was answered how often, and whether it waits."""

    item: Item
    answers: list[tuple[str, int]]
    is_reviewed: bool


@dataclass(frozen=True)
class Standing:
    """All that is known of a subject: its place on a map, its votes, what they were merged to."""

    subject: Subject
    assignment: Assignment | None
    opinion: Opinion | None
    posterior: SubjectPosterior | None
    reviews: list[Review]
    votes: list[NumberedVote]


def undecided_of(campaign: Campaign) -> list[Undecided]:
    """Give the items that go to review because people do not agree; those that wait come first."""
    items = list(items_without_consensus(campaign))
    tree = question_newest(campaign).tree
    counts: dict[int, list[tuple[str, int]]] = {item.pk: [] for item in items}
    votes = Vote.objects.filter(item__in=items, superseded_at=None).values_list("item", "answer")
    for item, answer, n in votes.annotate(n=Count("pk")).order_by("-n", "answer"):
        counts[item].append((leaf_title(tree, answer), n))
    reviewed = set(campaign.reviews.values_list("subject_id", flat=True))
    found = [
        Undecided(
            item, counts[item.pk], item.subject_id is not None and item.subject_id in reviewed
        )
        for item in items
    ]
    return sorted(found, key=lambda each: each.is_reviewed)


def opinion_of(sorting: Sorting) -> Opinion | None:
    """Find the newest run over a map, or at least the newest campaign."""
    if sorting.parent is not None:
        return opinion_of(sorting.parent.sorting)
    run = _runs().filter(campaign__sorting=sorting).first()
    if run is not None:
        return Opinion(run.campaign, run.question, run)
    question = (
        Question.objects.filter(campaign__sorting=sorting)
        .exclude(campaign__state=Campaign.State.DRAFT)
        .select_related("campaign")
        .order_by("-campaign__created_at", "-version")
        .first()
    )
    return None if question is None else Opinion(question.campaign, question, None)


def _runs() -> QuerySet[ConsensusRun]:
    return ConsensusRun.objects.select_related("campaign", "question")


def prototype_posteriors(run: ConsensusRun) -> dict[int, ItemPosterior]:
    """Give what a run believes of each prototype that was voted on, by the prototype's key."""
    found = run.items.filter(item__kind=Item.Kind.PROTOTYPE, n_votes__gt=0).select_related("item")
    return {row.item.prototype_id: row for row in found if row.item.prototype_id is not None}


def prototype_posterior(run: ConsensusRun, prototype: Prototype) -> ItemPosterior | None:
    """Give what a run believes of a prototype; a guess without any vote is not shown."""
    whole = run.items.filter(item__kind=Item.Kind.PROTOTYPE, item__prototype=prototype)
    return whole.filter(n_votes__gt=0).first()


def votes_on_prototype(campaign: Campaign, prototype: Prototype) -> Mapping[str, int]:
    """Count the votes that count, by answer."""
    votes = Vote.objects.filter(
        item__campaign=campaign,
        item__kind=Item.Kind.PROTOTYPE,
        item__prototype=prototype,
        superseded_at=None,
    )
    return dict(votes.values_list("answer").annotate(n=Count("pk")).order_by())


def splits_of(campaign: Campaign) -> QuerySet[SplitProposal]:
    """Give the prototypes that seem to hold several kinds of source, the least pure first."""
    found = campaign.splits.exclude(state=SplitProposal.State.DISMISSED)
    return found.select_related("prototype__sorting__survey").order_by("state", "purity", "pk")


def outlier_threshold(campaign: Campaign) -> float | None:
    """Give the lowest outlier score that a campaign shows to volunteers."""
    shown = campaign.items.filter(kind=Item.Kind.OUTLIER).values("subject")
    found = Assignment.objects.filter(sorting=campaign.sorting_id, subject__in=shown)
    lowest: float | None = found.aggregate(lowest=Min("outlier_score"))["lowest"]
    return lowest


def standing_of(subject: Subject) -> Standing:
    """Collect what the newest map and the newest run say of a subject."""
    posterior = (
        subject.posteriors.filter(run__finished_at__isnull=False)
        .select_related("run__campaign", "run__question")
        .order_by("-run__created_at", "-run_id")
        .first()
    )
    places = (
        subject.assignments.filter(sorting__parent=None)
        .select_related("prototype", "second_prototype", "sorting__survey")
        .order_by("-sorting__created_at", "-sorting_id")
    )
    if posterior is not None:
        run = posterior.run
        assignment = places.filter(sorting=run.campaign.sorting_id).first()
        opinion: Opinion | None = Opinion(run.campaign, run.question, run)
    else:
        assignment = places.first()
        opinion = None if assignment is None else opinion_of(assignment.sorting)
    return Standing(
        subject=subject,
        assignment=assignment,
        opinion=opinion,
        posterior=posterior,
        reviews=[] if opinion is None else _reviews(opinion.campaign, subject),
        votes=[] if opinion is None else _votes(opinion, subject, assignment),
    )


def _reviews(campaign: Campaign, subject: Subject) -> list[Review]:
    return list(subject.reviews.filter(campaign=campaign).select_related("reviewer"))


def _votes(opinion: Opinion, subject: Subject, assignment: Assignment | None) -> list[NumberedVote]:
    """Give the votes on a subject and on its prototype, with numbered volunteers."""
    shown = Q(subject=subject)
    if assignment is not None:
        shown |= Q(kind=Item.Kind.PROTOTYPE, prototype=assignment.prototype_id)
    items = opinion.campaign.items.order_by()
    grids = GridMember.objects.filter(subject=subject, item__campaign=opinion.campaign)
    keys = {
        *items.filter(shown).values_list("pk", flat=True),
        *grids.order_by().values_list("item_id", flat=True),
    }
    votes = (
        Vote.objects.filter(item__in=keys, superseded_at=None)
        .select_related("item", "volunteer")
        .order_by("item__kind", "pk")
    )
    numbers: dict[int, int] = {}
    found = []
    for vote in votes:
        number = numbers.setdefault(vote.volunteer_id, len(numbers) + 1)
        name = (
            _("simulated volunteer %(number)d")
            if vote.volunteer.is_simulated
            else _("volunteer %(number)d")
        )
        is_ticked = vote.ticked is not None and subject.pk in vote.ticked
        label = label_of(vote, opinion.labels)
        found.append(NumberedVote(vote, name % {"number": number}, label, is_ticked))
    return found


def label_of(vote: Vote, labels: Labels) -> Label:
    """Say what a vote says; of a grid, what its group was called."""
    if vote.ticked is None:
        return labels.of(vote.answer)
    return TOO_MIXED if vote.answer == Vote.Verdict.TOO_MIXED else labels.of(vote.item.label)


def n_nearer_members(assignment: Assignment) -> int:
    """Count the members of the same prototype that resemble it more."""
    return Assignment.objects.filter(
        prototype=assignment.prototype_id, distance__lt=assignment.distance
    ).count()
