"""One more vote between two refits: the item and the volunteer are brought up to date at once.

A step of incremental EM (Neal & Hinton 1998, "A view of the EM algorithm that justifies
incremental, sparse, and other variants"): the item's evidence grows by what the answer tells under
the volunteer's matrix of this moment, and the volunteer's counts by the item's new probabilities.
What earlier votes said is not weighed again, and the crowd stays as the last fit saw it; the refit
does both. After a twentieth more votes than the fit had seen, the largest change of a probability
is 0.02 from that of a refit in the mean over the items voted on, a fifth of what the votes moved,
and 99 % of all labels are the same (400 items, 40 volunteers, hard items or not).

Who changes an answer takes back what it has added, a `Step`, and adds the new one: the same as if
the first had never been, but for what others have been believed to be like since then.

One item and one volunteer are all that is touched, so that a web process needs no more than their
two rows and the small `OnlineCrowd`.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.consensus.dawid_skene import DawidSkeneFit
from skysort.consensus.dependence import answer_sizes, damped
from skysort.consensus.judgments import Judgments, JudgmentTables, log_table
from skysort.errors import InputError

__all__ = [
    "ItemState",
    "OnlineCrowd",
    "OnlineRows",
    "Step",
    "VolunteerState",
    "add_judgments",
    "add_vote",
    "guess_judgments",
    "guess_vote",
    "start_online",
    "step_between",
    "take_back",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class _Row:
    """A dataclass of arrays that can be kept as JSON."""

    def as_json(self) -> dict[str, Any]:
        """Give a dictionary of lists and numbers."""
        return {
            field.name: np.asarray(getattr(self, field.name)).tolist()
            for field in fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Take back what `as_json` gave."""
        return cls(**{name: np.asarray(value, dtype=float) for name, value in content.items()})


@dataclass(frozen=True)
class OnlineCrowd(_Row):
    """What all share between two refits.

    Attributes
    ----------
    confusion : ndarray, float64, (G, K, A)
        The crowd's matrices.
    class_prior : ndarray, float64, (G, K)
        Frequencies of classes.
    judgment : ndarray, float64, (K, K, 2)
        The crowd's chances of passing and ticking.
    size_unit : ndarray, float64, (G,)
        What a usual vote tells.
    correlation : ndarray, float64, (G,)
        How alike votes on one item are.
    judgment_unit, judgment_correlation, worker_strength, transfer : ndarray, float64, ()
        See `dawid_skene`.
    """

    confusion: FloatArray
    class_prior: FloatArray
    judgment: FloatArray
    size_unit: FloatArray
    correlation: FloatArray
    judgment_unit: FloatArray
    judgment_correlation: FloatArray
    worker_strength: FloatArray
    transfer: FloatArray


@dataclass(frozen=True)
class ItemState(_Row):
    """Evidence on one item; the amounts tell how much was said, see `dependence`.

    Attributes
    ----------
    log_prior, votes, judgments : ndarray, float64, (K,)
        Log probability of the classes, and log likelihoods before they are damped.
    vote_amount, judgment_amount : ndarray, float64, ()
        Sizes of votes and judgments together.
    correlation, judgment_correlation : ndarray, float64, ()
        Those of the item's kind.
    """

    log_prior: FloatArray
    votes: FloatArray
    judgments: FloatArray
    vote_amount: FloatArray
    judgment_amount: FloatArray
    correlation: FloatArray
    judgment_correlation: FloatArray

    @property
    def probabilities(self) -> FloatArray:
        """Class probabilities (K,)."""
        log_weight = self.log_prior[:, None] + damped(
            self.votes[:, None], np.reshape(self.vote_amount, 1), float(self.correlation)
        )
        log_weight += damped(
            self.judgments[:, None],
            np.reshape(self.judgment_amount, 1),
            float(self.judgment_correlation),
        )
        weight = np.exp(log_weight[:, 0] - log_weight.max())
        share: FloatArray = weight / weight.sum()
        return share


@dataclass(frozen=True)
class VolunteerState(_Row):
    """What one volunteer did, as expected counts.

    Attributes
    ----------
    answers : ndarray, float64, (G, K, A)
        Answers by kind and class of the item.
    judged, ticked, crowd_ticks : ndarray, float64, (2,)
        Judgments under a right and a wrong label, ticks among them, and the ticks that the crowd
        would have made.
    """

    answers: FloatArray
    judged: FloatArray
    ticked: FloatArray
    crowd_ticks: FloatArray

    def confusion(self, crowd: OnlineCrowd, kind: int) -> FloatArray:
        """Give the matrix (K, A) for one kind of item."""
        own = self.answers[kind]
        counts = own + crowd.transfer * (self.answers.sum(axis=0) - own)
        strength = crowd.worker_strength
        matrix: FloatArray = (counts + strength * crowd.confusion[kind]) / (
            counts.sum(axis=1, keepdims=True) + strength
        )
        return matrix

    def odds(self, crowd: OnlineCrowd) -> FloatArray:
        """Give the odds (2,) of ticking over the crowd's."""
        mean = np.divide(
            self.crowd_ticks, self.judged, out=np.full(2, 0.5), where=self.judged > 0.0
        )
        ticks = self.ticked + crowd.worker_strength * mean
        passes = self.judged - self.ticked + crowd.worker_strength * (1.0 - mean)
        odds: FloatArray = ticks / passes * (1.0 - mean) / mean
        return odds


@dataclass(frozen=True)
class OnlineRows:
    """Everything after a fit; `item` and `volunteer` cut out the rows that are kept one by one.

    Attributes
    ----------
    crowd : OnlineCrowd
        Shared.
    item_group : ndarray, int64, (I,)
        Kind of each item.
    log_prior, votes, judgments : ndarray, float64, (I, K)
        As in `ItemState`.
    amounts : ndarray, float64, (I, 2)
        Of votes and of judgments.
    answers : ndarray, float64, (W, G, K, A)
        As in `VolunteerState`.
    ticks : ndarray, float64, (W, 3, 2)
        Judged, ticked and ticks of the crowd.
    """

    crowd: OnlineCrowd
    item_group: IntArray
    log_prior: FloatArray
    votes: FloatArray
    judgments: FloatArray
    amounts: FloatArray
    answers: FloatArray
    ticks: FloatArray

    def item(self, number: int) -> ItemState:
        """Cut out one item."""
        return ItemState(
            self.log_prior[number],
            self.votes[number],
            self.judgments[number],
            self.amounts[number, 0],
            self.amounts[number, 1],
            self.crowd.correlation[self.item_group[number]],
            self.crowd.judgment_correlation,
        )

    def volunteer(self, number: int) -> VolunteerState:
        """Cut out one volunteer; -1 gives somebody who comes for the first time."""
        if number < 0:
            return VolunteerState(np.zeros_like(self.crowd.confusion), *np.zeros((3, 2)))
        return VolunteerState(self.answers[number], *self.ticks[number])


def _size_unit(fit: DawidSkeneFit) -> FloatArray:
    raw = answer_sizes(fit.crowd_confusion.transpose(1, 0, 2), fit.class_prior.T)  # (G,)
    if not fit.confusion.shape[1]:
        return np.where(raw > 0.0, raw, 1.0)
    sizes = answer_sizes(fit.confusion.transpose(2, 0, 1, 3), fit.class_prior.T[:, :, None])
    kinds, top = np.arange(len(raw)), sizes.argmax(axis=1)
    told, units = sizes[kinds, top], fit.vote_size[kinds, top]
    is_told = (told > 0.0) & (units > 0.0)
    unit: FloatArray = np.divide(told, units, out=np.ones_like(told), where=is_told)
    return unit


def start_online(
    fit: DawidSkeneFit,
    item: ArrayLike,
    worker: ArrayLike,
    answer: ArrayLike,
    *,
    item_group: ArrayLike | None = None,
    item_mask: ArrayLike | None = None,
    item_prior: ArrayLike | None = None,
    known: ArrayLike | None = None,
    judgments: Judgments | None = None,
    worker_strength: float = 5.0,
    transfer: float = 0.25,
) -> OnlineRows:
    """Turn a fit and what it was made from into rows that single votes can change.

    Parameters
    ----------
    fit : DawidSkeneFit
        The last refit.
    item, worker, answer : array_like of int, (V,)
        Its votes.
    item_group, item_mask, item_prior, known, judgments, worker_strength, transfer
        As they were given to the fit.

    Returns
    -------
    OnlineRows
        Its items have the probabilities of the fit.

    Raises
    ------
    InputError
        If there are not as many volunteers or answers in the fit.
    """
    items, workers, answers = (
        np.asarray(column, dtype=np.int64) for column in (item, worker, answer)
    )
    n_groups, n_workers, n_classes, n_answers = fit.confusion.shape
    if len(workers) and (workers.max() >= n_workers or answers.max() >= n_answers):
        raise InputError(
            f"votes must be those of the fit: {n_workers} volunteers, {n_answers} answers"
        )
    n_items = len(fit.item_probabilities)
    group = np.zeros(n_items, np.int64) if item_group is None else np.asarray(item_group, np.int64)
    mask = np.ones(n_items, dtype=bool) if item_mask is None else np.asarray(item_mask)
    kind = group[items]
    log_confusion = np.log(fit.confusion)
    votes = _sums_by(items, log_confusion[kind, workers, :, answers], n_items)
    vote_amount = np.bincount(items, weights=fit.vote_size[kind, workers], minlength=n_items)
    slot = (workers * n_groups + kind) * n_answers + answers
    taught = fit.item_probabilities[items] * mask[items, None]
    counts = _sums_by(slot, taught, n_workers * n_groups * n_answers)
    crowd = OnlineCrowd(
        fit.crowd_confusion,
        fit.class_prior,
        fit.crowd_judgment,
        _size_unit(fit),
        fit.correlation,
        np.array(fit.judgment_unit),
        np.array(fit.judgment_correlation),
        np.array(worker_strength),
        np.array(transfer),
    )
    judged, judged_amount, ticks = _judged(fit, judgments, mask)
    return OnlineRows(
        crowd,
        group,
        _log_prior(fit, group, item_prior, known),
        votes,
        judged,
        np.stack([vote_amount, judged_amount], axis=1),
        counts.reshape(n_workers, n_groups, n_answers, n_classes).transpose(0, 1, 3, 2),
        ticks,
    )


def _sums_by(index: IntArray, rows: FloatArray, n: int) -> FloatArray:
    """Sum rows (V, K) by index: (n, K)."""
    columns = [np.bincount(index, weights=column, minlength=n) for column in rows.T]
    return np.stack(columns, axis=1).astype(float, copy=False)


def _log_prior(
    fit: DawidSkeneFit, group: IntArray, item_prior: ArrayLike | None, known: ArrayLike | None
) -> FloatArray:
    prior = fit.class_prior[group]
    if item_prior is not None:
        own = np.asarray(item_prior, dtype=float)
        has = ~np.isnan(own).any(axis=1)
        allowed = own[has] * (prior[has] > 0.0)
        prior[has] = allowed / allowed.sum(axis=1, keepdims=True)
    if known is not None:
        truth = np.asarray(known)
        prior[truth >= 0] = np.eye(prior.shape[1])[truth[truth >= 0]]
    log_prior: FloatArray = np.log(np.maximum(prior, np.finfo(float).tiny))
    return log_prior


def _judged(
    fit: DawidSkeneFit, judgments: Judgments | None, mask: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log likelihood (I, K) and amount (I,) of judgments, and counts (W, 3, 2)."""
    n_items, n_classes = fit.item_probabilities.shape
    n_workers = fit.confusion.shape[1]
    if judgments is None:
        return np.zeros((n_items, n_classes)), np.zeros(n_items), np.zeros((n_workers, 3, 2))
    item, worker, label = (
        np.asarray(column, dtype=np.int64)
        for column in (judgments.item, judgments.worker, judgments.label)
    )
    ticked = np.asarray(judgments.ticked).astype(np.int64)
    table = log_table(JudgmentTables(fit.crowd_judgment, fit.judgment_odds), worker, label, ticked)
    size = np.ptp(table, axis=0) / fit.judgment_unit
    shares = _shares(fit.item_probabilities[item], label, ticked, fit.crowd_judgment)  # (J, 3, 2)
    shares *= mask[item, None, None]
    return (
        _sums_by(item, table.T, n_items),
        _sums_by(item, size[:, None], n_items)[:, 0],
        _sums_by(worker, shares.reshape(-1, 6), n_workers).reshape(n_workers, 3, 2),
    )


def _shares(
    probabilities: FloatArray, label: IntArray, ticked: IntArray, crowd: FloatArray
) -> FloatArray:
    """Split judgments (J,) into right and wrong labels: judged, ticked, ticks of the crowd."""
    n = np.arange(len(label))
    same = probabilities[n, label]
    judged = np.stack([same, 1.0 - same], axis=1)
    expected = probabilities * crowd[label, :, 1]  # (J, K)
    by_kind = np.stack([expected[n, label], expected.sum(axis=1) - expected[n, label]], axis=1)
    return np.stack([judged, judged * ticked[:, None], by_kind], axis=1)


def add_vote(
    crowd: OnlineCrowd, item: ItemState, volunteer: VolunteerState, *, kind: int, answer: int
) -> tuple[ItemState, VolunteerState]:
    """Let one vote change its item and its volunteer.

    Parameters
    ----------
    crowd : OnlineCrowd
        Shared.
    item : ItemState
        Item voted on.
    volunteer : VolunteerState
        Who votes.
    kind, answer : int
        Kind of the item, and what the volunteer answers.

    Returns
    -------
    tuple of ItemState and VolunteerState
        The new ones; the old ones stay as they are.
    """
    matrix = volunteer.confusion(crowd, kind)
    size = answer_sizes(matrix, crowd.class_prior[kind]) / crowd.size_unit[kind]
    voted = replace(
        item, votes=item.votes + np.log(matrix[:, answer]), vote_amount=item.vote_amount + size
    )
    answers = volunteer.answers.copy()
    answers[kind, :, answer] += voted.probabilities
    return voted, replace(volunteer, answers=answers)


def add_judgments(
    crowd: OnlineCrowd,
    items: list[ItemState],
    volunteer: VolunteerState,
    *,
    label: int,
    ticked: ArrayLike,
) -> tuple[list[ItemState], VolunteerState]:
    """Let the answer to one grid change its members and its volunteer.

    Parameters
    ----------
    crowd : OnlineCrowd
        Shared.
    items : list of ItemState
        Members shown.
    volunteer : VolunteerState
        Who judges.
    label : int
        Class that the grid named.
    ticked : array_like of bool
        For each member, whether it "is not that".

    Returns
    -------
    tuple of list of ItemState and VolunteerState
        The new ones; the old ones stay as they are.

    Raises
    ------
    InputError
        If there are not as many ticks as members.
    """
    ticks = np.asarray(ticked, dtype=bool).astype(np.int64)
    if ticks.shape != (len(items),):
        raise InputError(f"ticked must have {len(items)} entries, got shape {ticks.shape}")
    labels, first = np.full(len(items), label), np.zeros(len(items), dtype=np.int64)
    tables = JudgmentTables(crowd.judgment, volunteer.odds(crowd)[None])
    table = log_table(tables, first, labels, ticks)
    size = np.ptp(table, axis=0) / crowd.judgment_unit
    judged = [
        replace(
            item,
            judgments=item.judgments + table[:, j],
            judgment_amount=item.judgment_amount + size[j],
        )
        for j, item in enumerate(items)
    ]
    probabilities = np.array([item.probabilities for item in judged])
    shares = _shares(probabilities, labels, ticks, crowd.judgment).sum(axis=0)
    return judged, VolunteerState(
        volunteer.answers,
        volunteer.judged + shares[0],
        volunteer.ticked + shares[1],
        volunteer.crowd_ticks + shares[2],
    )


@dataclass(frozen=True)
class Step(_Row):
    """What one answer has added to its items and its volunteer.

    Attributes
    ----------
    votes, judgments : ndarray, float64, (M, K)
        Log likelihoods added to each item shown.
    amounts : ndarray, float64, (M, 2)
        Sizes of votes and of judgments.
    answers : ndarray, float64, (G, K, A)
        Counts added to the volunteer's answers.
    ticks : ndarray, float64, (3, 2)
        Judged, ticked and ticks of the crowd.
    """

    votes: FloatArray
    judgments: FloatArray
    amounts: FloatArray
    answers: FloatArray
    ticks: FloatArray


def step_between(
    items: list[ItemState],
    volunteer: VolunteerState,
    later_items: list[ItemState],
    later_volunteer: VolunteerState,
) -> Step:
    """Tell what an answer has added from the states before and after it.

    Parameters
    ----------
    items, later_items : list of ItemState
        What was shown, before and after.
    volunteer, later_volunteer : VolunteerState
        Who answered, before and after.

    Returns
    -------
    Step
        What `take_back` takes.
    """
    pairs = list(zip(items, later_items, strict=True))
    return Step(
        votes=np.array([after.votes - before.votes for before, after in pairs]),
        judgments=np.array([after.judgments - before.judgments for before, after in pairs]),
        amounts=np.array([_amounts(after) - _amounts(before) for before, after in pairs]),
        answers=later_volunteer.answers - volunteer.answers,
        ticks=_ticks(later_volunteer) - _ticks(volunteer),
    )


def _amounts(item: ItemState) -> FloatArray:
    return np.array([item.vote_amount, item.judgment_amount], dtype=float)


def _ticks(volunteer: VolunteerState) -> FloatArray:
    return np.stack([volunteer.judged, volunteer.ticked, volunteer.crowd_ticks])


def take_back(
    items: list[ItemState], volunteer: VolunteerState, step: Step
) -> tuple[list[ItemState], VolunteerState]:
    """Take an answer back out of its items and its volunteer.

    Parameters
    ----------
    items : list of ItemState
        What was shown, in the order of the step.
    volunteer : VolunteerState
        Who answered.
    step : Step
        What the answer had added.

    Returns
    -------
    tuple of list of ItemState and VolunteerState
        The new ones; the old ones stay as they are. Nothing falls below zero that is a count.
    """
    amounts = [np.maximum(_amounts(item) - step.amounts[m], 0.0) for m, item in enumerate(items)]
    left = [
        replace(
            item,
            votes=item.votes - step.votes[m],
            judgments=item.judgments - step.judgments[m],
            vote_amount=amounts[m][0],
            judgment_amount=amounts[m][1],
        )
        for m, item in enumerate(items)
    ]
    answers = np.maximum(volunteer.answers - step.answers, 0.0)
    return left, VolunteerState(answers, *np.maximum(_ticks(volunteer) - step.ticks, 0.0))


def guess_vote(
    crowd: OnlineCrowd, item: ItemState, volunteer: VolunteerState, *, kind: int, answer: int
) -> Step:
    """Guess what an earlier vote has added, of which nobody has kept the step.

    The volunteer's matrix without it weighs the answer; with no votes since then this is what
    `add_vote` did.

    Parameters
    ----------
    crowd : OnlineCrowd
        Shared.
    item : ItemState
        Item voted on.
    volunteer : VolunteerState
        Who voted.
    kind, answer : int
        Kind of the item, and what was answered.

    Returns
    -------
    Step
        What `take_back` takes.
    """
    answers = volunteer.answers.copy()
    answers[kind, :, answer] = np.maximum(answers[kind, :, answer] - item.probabilities, 0.0)
    without = replace(volunteer, answers=answers)
    voted, _ = add_vote(crowd, item, without, kind=kind, answer=answer)
    return step_between([item], without, [voted], volunteer)


def guess_judgments(
    crowd: OnlineCrowd,
    items: list[ItemState],
    volunteer: VolunteerState,
    *,
    label: int,
    ticked: ArrayLike,
) -> Step:
    """Guess what the answer to a grid has added, of which nobody has kept the step.

    Parameters
    ----------
    crowd : OnlineCrowd
        Shared.
    items : list of ItemState
        Members shown.
    volunteer : VolunteerState
        Who judged.
    label : int
        Class that the grid named.
    ticked : array_like of bool
        For each member, whether it "is not that".

    Returns
    -------
    Step
        What `take_back` takes.
    """
    ticks = np.asarray(ticked, dtype=bool).astype(np.int64)
    probabilities = np.array([item.probabilities for item in items])
    shares = _shares(probabilities, np.full(len(items), label), ticks, crowd.judgment).sum(axis=0)
    without = VolunteerState(volunteer.answers, *np.maximum(_ticks(volunteer) - shares, 0.0))
    judged, _ = add_judgments(crowd, items, without, label=label, ticked=ticked)
    return step_between(items, without, judged, volunteer)
