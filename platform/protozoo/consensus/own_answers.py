"""Tells volunteers what others say of what they have answered, and what it is taken for now."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from protozoo.accounts.models import Volunteer
from protozoo.consensus.labels import Label, Labels, LabelShare
from protozoo.consensus.models import ConsensusRun, ItemPosterior, SubjectPosterior
from protozoo.voting.models import Item, Vote
from protozoo.voting.standing import item_picture_url


@dataclass(frozen=True)
class Others:
    """How many others have answered, and on how much they agree with the volunteer.

    Of a grid `n_same` counts the pictures, out of `n_shown`, on which most others judge alike.
    """

    n_others: int
    n_same: int
    n_shown: int = 0


@dataclass(frozen=True)
class OwnAnswer:
    """One vote: the answer, what is known of the item beforehand, and what came of it since."""

    vote: Vote
    picture: str
    label: Label
    known: Label | None
    others: Others | None
    now: LabelShare | None

    @property
    def others_say(self) -> str:
        """Say how many others gave the same answer."""
        others = self.others
        if others is None:
            return ""
        if not others.n_others:
            return _("Nobody else has answered this one yet.")
        if others.n_shown:
            return ngettext(
                "%(n)d other has sorted it too; you agree on %(same)d of %(shown)d pictures.",
                "%(n)d others have sorted it too; you agree on %(same)d of %(shown)d pictures.",
                others.n_others,
            ) % {"n": others.n_others, "same": others.n_same, "shown": others.n_shown}
        if not others.n_same:
            return ngettext(
                "%(n)d other has chosen something else.",
                "%(n)d others have chosen something else.",
                others.n_others,
            ) % {"n": others.n_others}
        return ngettext(
            "%(same)d of %(n)d other says the same.",
            "%(same)d of %(n)d others say the same.",
            others.n_others,
        ) % {"n": others.n_others, "same": others.n_same}

    @property
    def differs(self) -> bool:
        """Whether the answer names another class than the one it is taken for now."""
        return self.now is not None and self.label.is_class and self.label.key != self.now.label.key

    @property
    def is_alone(self) -> bool:
        """Whether most others said something else; a class may come from look-alikes alone."""
        return self.others is not None and 2 * self.others.n_same < self.others.n_others

    @property
    def agrees(self) -> bool:
        return self.now is not None and self.label.key == self.now.label.key


def own_answers(votes: Sequence[Vote], volunteer: Volunteer) -> list[OwnAnswer]:
    """Put to votes of one page what has come of them, in a handful of queries."""
    words = _Words()
    others = _others_of(votes, volunteer)
    present = _Present(votes)
    return [
        OwnAnswer(
            vote=vote,
            picture=item_picture_url(vote.item),
            label=words.of(vote).of(vote.answer),
            known=words.of(vote).of(vote.item.label) if vote.item.label else None,
            others=others.get(vote.item_id),
            now=present.of(vote.item),
        )
        for vote in votes
    ]


class _Words:
    """The words of each version of a question, as they were when it was answered."""

    def __init__(self) -> None:
        self._known: dict[int, Labels] = {}

    def of(self, vote: Vote) -> Labels:
        if vote.question_id not in self._known:
            self._known[vote.question_id] = Labels(vote.question)
        return self._known[vote.question_id]


# Others -------------------------------------------------------------------------------------
def _others_of(votes: Sequence[Vote], volunteer: Volunteer) -> dict[int, Others]:
    """Count the others; of gold subjects experts have spoken, and they never cease to be asked."""
    of_others = Vote.objects.filter(superseded_at=None).exclude(volunteer=volunteer).order_by()
    grids = [vote for vote in votes if vote.item.kind == Item.Kind.GRID]
    single = [vote for vote in votes if vote.item.kind not in {Item.Kind.GRID, Item.Kind.GOLD}]
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    rows = of_others.filter(item__in=[vote.item_id for vote in single]).values_list(
        "item", "answer"
    )
    for item, answer, n in rows.annotate(n=Count("pk")):
        counts[item][answer] = n
    found = {
        vote.item_id: Others(counts[vote.item_id].total(), counts[vote.item_id][vote.answer])
        for vote in single
    }
    ticks: dict[int, list[list[int]]] = defaultdict(list)
    sorted_by = of_others.filter(item__in=[vote.item_id for vote in grids], answer="sorted")
    for item, ticked in sorted_by.values_list("item", "ticked"):
        ticks[item].append(ticked or [])
    return found | {
        vote.item_id: _on_grid(vote, ticks[vote.item_id])
        for vote in grids
        if vote.answer == Vote.Verdict.SORTED
    }


def _on_grid(vote: Vote, others: Sequence[Sequence[int]]) -> Others:
    """Count the pictures of which at least half of the others say the same."""
    members = [member.subject_id for member in vote.item.members.all()]
    n_ticks = Counter(subject for ticked in others for subject in ticked)
    own = set(vote.ticked or [])
    same = sum(
        2 * (n_ticks[member] if member in own else len(others) - n_ticks[member]) >= len(others)
        for member in members
    )
    return Others(len(others), same, len(members))


# What it is taken for -----------------------------------------------------------------------
class _Present:
    """What the newest run of each campaign takes items for; not of grids and gold."""

    def __init__(self, votes: Sequence[Vote]) -> None:
        items = [vote.item for vote in votes if vote.item.kind != Item.Kind.GOLD]
        self._runs = _newest_runs({item.campaign_id for item in items})
        self._labels = {run.pk: Labels(run.question) for run in self._runs.values()}
        groups = [item.pk for item in items if item.kind == Item.Kind.PROTOTYPE]
        subjects = [item.subject_id for item in items if item.subject_id is not None]
        runs = list(self._labels)
        self._of_item = {
            (row.run_id, row.item_id): row
            for row in ItemPosterior.objects.filter(run__in=runs, item__in=groups)
        }
        self._of_subject = {
            (row.run_id, row.subject_id): row
            for row in SubjectPosterior.objects.filter(run__in=runs, subject__in=subjects)
        }

    def of(self, item: Item) -> LabelShare | None:
        run = self._runs.get(item.campaign_id)
        if run is None or item.kind == Item.Kind.GOLD:
            return None
        labels = self._labels[run.pk]
        group = self._of_item.get((run.pk, item.pk))
        if group is not None:
            return LabelShare(labels.of(group.label), group.probabilities[group.label])
        subject = self._of_subject.get((run.pk, item.subject_id or 0))
        if subject is None or subject.is_unknown:
            return None
        return LabelShare(labels.of(subject.label), subject.probability)


def _newest_runs(campaigns: set[int]) -> dict[int, ConsensusRun]:
    newest = ConsensusRun.objects.filter(campaign__in=campaigns).order_by()
    keys = newest.values("campaign").annotate(newest=Max("pk")).values("newest")
    runs = ConsensusRun.objects.filter(pk__in=keys).select_related("question")
    return {run.campaign_id: run for run in runs}
