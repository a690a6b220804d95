"""Finds out together what the items are and how each volunteer answers.

The model of Dawid & Skene (1979, Applied Statistics 28, 20): an item has a latent class, a
volunteer answers according to the row of that class in their confusion matrix, and expectation
maximization alternates between the two. Each matrix is shrunk to the crowd's by a Dirichlet prior,
as in the hierarchical models of Paun et al. (2018, TACL 6, 571), so that a volunteer with few votes
answers like the crowd. Items come in kinds (a prototype, a single subject) that are answered
differently; votes on the other kinds count for a fraction, a power prior (Ibrahim & Chen 2000,
Statistical Science 15, 46). Judgments of grid members (`judgments.py`) speak beside the votes, and
votes that echo each other can be weakened (`dependence.py`).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.consensus.dependence import Foretold, answer_sizes, choose_correlation, damped
from skysort.consensus.judgments import (
    Judgments,
    JudgmentSlots,
    JudgmentTables,
    fit_tables,
    judgment_slots,
    log_table,
    prior_tables,
)
from skysort.errors import InputError

__all__ = [
    "DawidSkeneFit",
    "Judgments",
    "fit_dawid_skene",
    "judgment_log_likelihood",
    "vote_log_likelihood",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Chance that somebody whom nobody knows names the true class.
EXPECTED_SKILL = 0.7
#: Correlations are learnt every fifth round, not after the thirtieth, from about so many votes.
LEARNING_PERIOD, LAST_LEARNING, LEARNING_VOTES = 5, 30, 40_000
#: Share of items that may still change when a fit ends; among many, some creep for a long time.
STILL_MOVING = 0.005


@dataclass(frozen=True)
class DawidSkeneFit:
    """What the votes say; G kinds of items, K classes, A answers.

    Attributes
    ----------
    item_probabilities : ndarray, float64, (I, K)
        Sums to 1 over classes; an item without votes has its kind's class prior.
    confusion : ndarray, float64, (G, W, K, A)
        Probability that a volunteer gives each answer to an item of each class.
    crowd_confusion : ndarray, float64, (G, K, A)
        The same for somebody without votes.
    class_prior : ndarray, float64, (G, K)
        Frequency of the classes among items of each kind.
    crowd_judgment : ndarray, float64, (K, K, 2)
        By label named, class and answer (0 passes, 1 ticks): how somebody without judgments judges.
    judgment_odds : ndarray, float64, (W, 2)
        Each volunteer's odds of ticking over the crowd's: where the label is right, where wrong.
    vote_size : ndarray, float64, (G, W)
        How much an answer of each volunteer tells, in units of the mean vote on items of the kind
        (each vote weighted with what it tells, so that empty ones change nothing).
    correlation : ndarray, float64, (G,)
        How alike votes on one item of each kind are, see `dependence`.
    judgment_unit : float
        Mean range over classes of the log chance of a judgment, weighted with itself.
    judgment_correlation : float
        How alike judgments of one item are.
    log_likelihood : ndarray, float64, (n_iterations,)
        Natural logarithm of the probability of the votes and judgments in each round. The prior
        has its say too, so that it may fall a little at the end.
    n_iterations : int
        Number of rounds.
    converged : bool
        Whether at most one item in two hundred changed by more than the tolerance in the last
        round.
    """

    item_probabilities: FloatArray
    confusion: FloatArray
    crowd_confusion: FloatArray
    class_prior: FloatArray
    crowd_judgment: FloatArray
    judgment_odds: FloatArray
    vote_size: FloatArray
    correlation: FloatArray
    judgment_unit: float
    judgment_correlation: float
    log_likelihood: FloatArray
    n_iterations: int
    converged: bool


@dataclass(frozen=True)
class _Priors:
    crowd_mean: FloatArray  # (K, A)
    allowed: NDArray[np.bool_]  # (G, K)
    own: FloatArray  # (K, O): probabilities of the items that have some of their own
    owner: IntArray  # (O,): those items
    worker_strength: float
    crowd_strength: float
    class_strength: float
    transfer: float


@dataclass(frozen=True)
class _Votes:
    """Votes in order of items; a slot is one answer of one volunteer to one kind of item."""

    item: IntArray  # (V,)
    slot: IntArray  # (V,)
    n_items: int
    n_slots: int


@dataclass(frozen=True)
class _Evidence:
    votes: _Votes
    judgments: JudgmentSlots
    group: IntArray  # (I,)


@dataclass(frozen=True)
class _Parameters:
    confusion: FloatArray  # (K, G, W, A): classes first, so that each is one stretch of memory
    weight: FloatArray  # (K, G, W): counts and pseudo-counts behind each row
    crowd: FloatArray  # (K, G, A)
    class_prior: FloatArray  # (K, G)
    judgment: JudgmentTables


@dataclass(frozen=True)
class _Sizes:
    """How much votes and judgments tell, in units of the mean one, and how alike they are."""

    vote: FloatArray  # (G, W)
    correlation: FloatArray  # (G,)
    judgment_unit: float
    judgment_correlation: float


def _indices(name: str, values: ArrayLike, length: int | None, low: int, stop: int) -> IntArray:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(
            f"{name} must be a flat array of integers, got {array.dtype} {array.shape}"
        )
    if length is not None and len(array) != length:
        raise InputError(f"{name} must have {length} entries, got {len(array)}")
    wrong = np.flatnonzero((array < low) | (array >= stop))
    if len(wrong):
        raise InputError(
            f"{name} must lie between {low} and {stop - 1}, got {array[wrong[0]]} at {wrong[0]}"
        )
    return array.astype(np.int64)


def _mask(item_mask: ArrayLike | None, n_items: int) -> NDArray[np.bool_]:
    if item_mask is None:
        return np.ones(n_items, dtype=bool)
    mask = np.asarray(item_mask)
    if mask.shape != (n_items,) or mask.dtype != bool:
        raise InputError(f"item_mask must be {n_items} booleans, got {mask.dtype} {mask.shape}")
    return mask


def _allowed(allowed: ArrayLike | None, n_groups: int, n_classes: int) -> NDArray[np.bool_]:
    if allowed is None:
        return np.ones((n_groups, n_classes), dtype=bool)
    array = np.asarray(allowed)
    if array.shape != (n_groups, n_classes) or array.dtype != bool or not array.any(axis=1).all():
        raise InputError(
            f"allowed must be booleans of shape ({n_groups}, {n_classes}) with a class for every "
            f"group, got {array.dtype} {array.shape}"
        )
    return array


def _own_prior(
    item_prior: ArrayLike | None,
    known: ArrayLike | None,
    allowed: NDArray[np.bool_],
    group: IntArray,
) -> tuple[FloatArray, IntArray]:
    """Collect what is known of single items: probabilities (K, O) and the items (O,)."""
    n_items, n_classes = len(group), allowed.shape[1]
    shape = (n_items, n_classes)
    prior = np.full(shape, np.nan) if item_prior is None else np.array(item_prior, dtype=float)
    if prior.shape != shape:
        raise InputError(f"item_prior must have shape {shape}, got {prior.shape}")
    if known is not None:
        truth = _indices("known", known, n_items, -1, n_classes)
        prior[truth >= 0] = np.eye(n_classes)[truth[truth >= 0]]
    owner = np.flatnonzero(~np.isnan(prior).all(axis=1))
    own = prior[owner]
    wrong = owner[~((own >= 0.0).all(axis=1) & (np.abs(own.sum(axis=1) - 1.0) < 1e-6))]
    if len(wrong):
        raise InputError(
            f"item_prior must be at least 0 and sum to 1 or be all NaN, row {wrong[0]} is neither"
        )
    own = own * allowed[group[owner]]
    total = own.sum(axis=1, keepdims=True)
    if not (total > 0.0).all():
        lost = owner[np.argmin(total[:, 0])]
        raise InputError(f"item {lost} is said to have a class that its kind does not allow")
    return (own / total).T.copy(), owner


def _crowd_mean(class_of_answer: IntArray, n_classes: int) -> FloatArray:
    """Give the matrix (K, A) of a stranger: mostly right, else any other answer."""
    names = class_of_answer == np.arange(n_classes)[:, None]  # (K, A)
    right = names.sum(axis=1, keepdims=True)
    wrong = (~names).sum(axis=1, keepdims=True)
    skill = np.where(right == 0, 0.0, np.where(wrong == 0, 1.0, EXPECTED_SKILL))
    mean: FloatArray = np.where(
        names, skill / np.maximum(right, 1), (1.0 - skill) / np.maximum(wrong, 1)
    )
    return mean


def _sums(index: IntArray, weights: FloatArray, n: int) -> FloatArray:
    """Add up weights by index (n,); float also where `bincount` has nothing to count."""
    return np.bincount(index, weights=weights, minlength=n).astype(float, copy=False)


def _votes(item: IntArray, slot: IntArray, n_items: int, n_slots: int) -> _Votes:
    order = np.argsort(item, kind="stable")
    return _Votes(item[order], slot[order], n_items, n_slots)


def _normalized(log_weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn log weights (K, I) into probabilities (K, I) and the logarithms of their sums (I,)."""
    top = log_weight.max(axis=0)
    weight = np.exp(log_weight - top)
    total = weight.sum(axis=0)
    return weight / total, top + np.log(total)


def _by_item(item: IntArray, slot: IntArray, table: FloatArray, n_items: int) -> FloatArray:
    """Sum entries of a table (K, slots) over what was said of each item: (K, I)."""
    return np.stack([_sums(item, row[slot], n_items) for row in table])


def _vote_sum(votes: _Votes, confusion: FloatArray, sizes: _Sizes, group: IntArray) -> FloatArray:
    """Log probability (K, I) of each item's answers for every class, damped."""
    n_classes, *_, n_answers = confusion.shape
    table = np.log(confusion.reshape(n_classes, -1))
    total = _by_item(votes.item, votes.slot, table, votes.n_items)
    if not sizes.correlation.any():
        return total
    amount = _sums(votes.item, sizes.vote.ravel()[votes.slot // n_answers], votes.n_items)
    return damped(total, amount, sizes.correlation[group])


def _judgment_ranges(table: FloatArray) -> FloatArray:
    """Give the range (U,) over classes of log chances (K, U)."""
    ranges: FloatArray = table.max(axis=0) - table.min(axis=0)
    return ranges


def _judgment_sum(
    judgments: JudgmentSlots, tables: JudgmentTables, sizes: _Sizes, n_items: int
) -> FloatArray:
    """Log probability (K, I) of the judgments of each item for every class, damped."""
    table = log_table(tables, judgments.worker, judgments.label, judgments.ticked)
    total = _by_item(judgments.item, judgments.slot, table, n_items)
    if not sizes.judgment_correlation:
        return total
    size = _judgment_ranges(table) / sizes.judgment_unit
    amount = _sums(judgments.item, size[judgments.slot], n_items)
    return damped(total, amount, sizes.judgment_correlation)


def _log_prior(parameters: _Parameters, group: IntArray, priors: _Priors) -> FloatArray:
    with np.errstate(divide="ignore"):  # a class that an item cannot have: log 0
        log_prior: FloatArray = np.log(parameters.class_prior)[:, group]
        log_prior[:, priors.owner] = np.log(priors.own)
    return log_prior


def _expect(
    evidence: _Evidence, parameters: _Parameters, sizes: _Sizes, priors: _Priors
) -> tuple[FloatArray, FloatArray]:
    """E step: class probabilities (K, I) and log evidence (I,) of all items."""
    group, judgments = evidence.group, evidence.judgments
    log_weight = _log_prior(parameters, group, priors)
    log_weight += _vote_sum(evidence.votes, parameters.confusion, sizes, group)
    if len(judgments.item):
        log_weight += _judgment_sum(judgments, parameters.judgment, sizes, len(group))
    return _normalized(log_weight)


def _measured(evidence: _Evidence, parameters: _Parameters, sizes: _Sizes) -> _Sizes:
    """Measure anew how much votes and judgments tell."""
    size = answer_sizes(parameters.confusion, parameters.class_prior[:, :, None])  # (G, W)
    n_groups, n_workers = size.shape
    place = evidence.votes.slot // parameters.confusion.shape[3]
    count = np.bincount(place, minlength=n_groups * n_workers).reshape(n_groups, n_workers)
    size /= _unit(size, count)[:, None]
    slots = evidence.judgments
    ranges = _judgment_ranges(
        log_table(parameters.judgment, slots.worker, slots.label, slots.ticked)
    )
    unit = _unit(ranges, np.bincount(slots.slot, minlength=len(ranges)))
    return replace(sizes, vote=size, judgment_unit=float(unit))


def _unit(size: FloatArray, count: IntArray) -> FloatArray:
    """Average sizes along the last axis, each by what it tells: empty votes do not count."""
    total = (count * size).sum(axis=-1)
    squares = (count * size**2).sum(axis=-1)
    mean: FloatArray = np.divide(squares, total, out=np.ones_like(total), where=total > 0.0)
    return mean


def _some(item: IntArray, chosen: NDArray[np.bool_], n_items: int) -> IntArray:
    """Find entries (in order of items) that are chosen, of whole items, about LEARNING_VOTES."""
    step = 1 + int(chosen.sum()) // LEARNING_VOTES
    return np.flatnonzero(chosen & (item % step == 0)) if n_items else np.zeros(0, dtype=np.int64)


def _learnt(
    lessons: _Evidence,
    probabilities: FloatArray,
    parameters: _Parameters,
    sizes: _Sizes,
    priors: _Priors,
) -> _Sizes:
    """Learn how alike votes on one item are, kind by kind, and judgments."""
    group, n_items = lessons.group, len(lessons.group)
    log_prior = _log_prior(parameters, group, priors)
    judged = _judgment_sum(lessons.judgments, parameters.judgment, sizes, n_items)
    correlation = [
        choose_correlation(
            _foretold_votes(lessons, probabilities, parameters, sizes, log_prior + judged, kind)
        )
        for kind in range(len(sizes.correlation))
    ]
    learnt = replace(sizes, correlation=np.array(correlation))
    if not len(lessons.judgments.item):
        return learnt
    voted = _vote_sum(lessons.votes, parameters.confusion, sizes, group)
    foretold = _foretold_judgments(lessons.judgments, parameters, sizes, log_prior + voted)
    return replace(learnt, judgment_correlation=choose_correlation(foretold))


def _foretold_votes(
    lessons: _Evidence,
    probabilities: FloatArray,
    parameters: _Parameters,
    sizes: _Sizes,
    base: FloatArray,
    kind: int,
) -> Foretold:
    votes, confusion = lessons.votes, parameters.confusion
    n_classes, *_, n_answers = confusion.shape
    count = np.bincount(votes.item, minlength=votes.n_items)
    shared = (count[votes.item] > 1) & (lessons.group[votes.item] == kind)
    some = _some(votes.item, shared, votes.n_items)
    item, slot = votes.item[some], votes.slot[some]
    table = np.log(confusion.reshape(n_classes, -1))
    size = sizes.vote.ravel()[slot // n_answers]
    log_vote = table[:, slot]
    total = _by_item(item, slot, table, votes.n_items)
    own = probabilities[:, item]
    weight = parameters.weight.reshape(n_classes, -1)[:, slot // n_answers]
    chance = (np.exp(log_vote) * weight - own) / (weight - own)
    return Foretold(
        item,
        total[:, item] - log_vote,
        _sums(item, size, votes.n_items)[item] - size,
        base[:, item],
        np.maximum(chance, np.finfo(float).tiny),
    )


def _foretold_judgments(
    judgments: JudgmentSlots, parameters: _Parameters, sizes: _Sizes, base: FloatArray
) -> Foretold:
    n_items = base.shape[1]
    count = np.bincount(judgments.item, minlength=n_items)
    some = _some(judgments.item, count[judgments.item] > 1, n_items)
    item, slot = judgments.item[some], judgments.slot[some]
    table = log_table(parameters.judgment, judgments.worker, judgments.label, judgments.ticked)
    size = (_judgment_ranges(table) / sizes.judgment_unit)[slot]
    log_chance = table[:, slot]
    return Foretold(
        item,
        _by_item(item, slot, table, n_items)[:, item] - log_chance,
        _sums(item, size, n_items)[item] - size,
        base[:, item],
        np.exp(log_chance),
    )


def _class_prior(
    probabilities: FloatArray, group: IntArray, weight: FloatArray, priors: _Priors
) -> FloatArray:
    n_groups = len(priors.allowed)
    counts = np.stack([_sums(group, row * weight, n_groups) for row in probabilities])
    counts += priors.class_strength * priors.allowed.T / priors.allowed.sum(axis=1)
    counts *= priors.allowed.T
    share: FloatArray = counts / counts.sum(axis=0)
    return share


def _judgment_tables(
    judgments: JudgmentSlots, probabilities: FloatArray, n_workers: int, priors: _Priors
) -> JudgmentTables:
    if not len(judgments.item):
        return prior_tables(n_workers, len(probabilities))
    n_slots = len(judgments.worker)
    return fit_tables(
        judgments,
        np.stack([_sums(judgments.slot, row[judgments.item], n_slots) for row in probabilities]),
        n_workers=n_workers,
        worker_strength=priors.worker_strength,
        crowd_strength=priors.crowd_strength,
    )


def _maximize(
    lessons: _Evidence,
    probabilities: FloatArray,
    group: IntArray,
    weight: FloatArray,
    shape: tuple[int, int, int],
    priors: _Priors,
) -> _Parameters:
    """M step: matrices and class frequencies that fit the probabilities (K, I) best."""
    votes = lessons.votes
    by_slot: FloatArray = np.stack(
        [_sums(votes.slot, row[votes.item], votes.n_slots) for row in probabilities]
    )
    counts = by_slot.reshape(len(probabilities), *shape)  # (K, G, W, A)
    counts += priors.transfer * (counts.sum(axis=1, keepdims=True) - counts)
    total = counts.sum(axis=3, keepdims=True)
    strength = priors.worker_strength
    crowd = np.einsum("kgwa,kgw->kga", counts, strength / (total[..., 0] + strength))
    crowd += priors.crowd_strength * priors.crowd_mean[:, None, :]
    crowd /= crowd.sum(axis=2, keepdims=True)
    counts += strength * crowd[:, :, None, :]
    total += strength
    counts /= total
    return _Parameters(
        counts,
        total[..., 0],
        crowd,
        _class_prior(probabilities, group, weight, priors),
        _judgment_tables(lessons.judgments, probabilities, shape[1], priors),
    )


def _first_guess(
    item: IntArray, named: IntArray, group: IntArray, judgments: JudgmentSlots, priors: _Priors
) -> FloatArray:
    """Begin with each item's shares of votes (K, I), a little flattened, and what else is known."""
    n_classes, n_items = len(priors.crowd_mean), len(group)
    names_class = named >= 0
    cell = named[names_class] * n_items + item[names_class]
    counts = np.bincount(cell, minlength=n_classes * n_items).reshape(n_classes, n_items)
    weight = (counts + 1.0 / n_classes) * priors.allowed.T[:, group]
    weight[:, priors.owner] *= priors.own
    if len(judgments.item):
        strangers = prior_tables(int(judgments.worker.max()) + 1, n_classes)
        table = log_table(strangers, judgments.worker, judgments.label, judgments.ticked)
        log_likelihood = _by_item(judgments.item, judgments.slot, table, n_items)
        weight *= np.exp(log_likelihood - log_likelihood.max(axis=0))
    share: FloatArray = weight / weight.sum(axis=0)
    return share


def _resumed(start: DawidSkeneFit, shape: tuple[int, int, int], n_classes: int) -> _Parameters:
    """Take over what an earlier fit learnt; whoever is new answers like its crowd."""
    n_groups, n_workers, n_answers = shape
    groups, workers, classes, answers = start.confusion.shape
    if (groups, classes, answers) != (n_groups, n_classes, n_answers) or workers > n_workers:
        raise InputError(
            f"start must be a fit of {n_groups} kinds, {n_classes} classes, {n_answers} answers "
            f"and at most {n_workers} volunteers, got {groups}, {classes}, {answers} and {workers}"
        )
    fresh = n_workers - workers
    strangers = np.repeat(start.crowd_confusion[:, None], fresh, axis=1)
    confusion = np.concatenate([start.confusion, strangers], axis=1)
    odds = np.concatenate([start.judgment_odds, np.ones((fresh, 2))])
    return _Parameters(
        np.ascontiguousarray(confusion.transpose(2, 0, 1, 3)),
        np.ones((classes, groups, n_workers)),
        start.crowd_confusion.transpose(1, 0, 2),
        start.class_prior.T,
        JudgmentTables(start.crowd_judgment, odds),
    )


def fit_dawid_skene(
    item: ArrayLike,
    worker: ArrayLike,
    answer: ArrayLike,
    *,
    n_items: int,
    n_workers: int,
    n_classes: int,
    n_answers: int,
    class_of_answer: ArrayLike,
    item_group: ArrayLike | None = None,
    allowed: ArrayLike | None = None,
    item_mask: ArrayLike | None = None,
    item_prior: ArrayLike | None = None,
    known: ArrayLike | None = None,
    judgments: Judgments | None = None,
    start: DawidSkeneFit | None = None,
    worker_strength: float = 5.0,
    crowd_strength: float = 40.0,
    class_strength: float = 10.0,
    transfer: float = 0.25,
    correlation: float | None = 0.0,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
) -> DawidSkeneFit:
    """Estimate classes of items and confusion matrices of volunteers by EM.

    A volunteer's row for a class is ``(n_a + s crowd_a) / (n + s)`` with the expected counts n of
    their answers and ``s = worker_strength``. The crowd's row is the sum of all counts, each
    volunteer's damped by ``s / (n + s)`` so that nobody speaks for more than s votes a class, plus
    `crowd_strength` pseudo-votes that name the right class with probability 0.7.

    Parameters
    ----------
    item, worker, answer : array_like of int, (V,)
        One vote per entry, in any order.
    n_items, n_workers, n_classes, n_answers : int
        Sizes I, W, K, A. Items, volunteers and classes without votes are allowed.
    class_of_answer : array_like of int, (A,)
        Class that an answer names; -1 for one that names none, such as "cannot tell".
    item_group : array_like of int, (I,), optional
        Kind of each item, from 0; by default all are of one kind.
    allowed : array_like of bool, (G, K), optional
        Classes that items of a kind can have; by default all.
    item_mask : array_like of bool, (I,), optional
        Items that may teach; the others (an audit sample) are only judged with what was learnt.
    item_prior : array_like of float, (I, K), optional
        What is known of single items from elsewhere (a machine), used instead of the frequencies of
        their kind, to which these items then add nothing. Rows sum to 1, or are NaN for nothing.
    known : array_like of int, (I,), optional
        True class of an item; -1 where it is not known. Known items teach with certainty.
    judgments : Judgments, optional
        Ticks and passes on members of grids, beside the votes.
    start : DawidSkeneFit, optional
        Earlier fit whose matrices are the first guess. It may have had fewer items and volunteers;
        the new ones have the last numbers.
    worker_strength, crowd_strength, class_strength : float, optional
        Pseudo-votes behind the prior of a volunteer's row, of the crowd's row, and pseudo-items
        behind equal class frequencies. Positive.
    transfer : float, optional
        Weight from 0 to 1 of a vote on one kind of item when another kind is judged.
    correlation : float, optional
        How alike votes on one item are, from 0 to 1 (see `dependence`), and judgments of one; None
        learns it from the votes, for each kind.
    max_iterations : int, optional
        Rounds at most.
    tolerance : float, optional
        Largest change of a probability that counts as none.

    Returns
    -------
    DawidSkeneFit
        Posteriors and matrices.

    Raises
    ------
    InputError
        If an index is out of range, lengths differ, a strength is not positive, a known class is
        not allowed or `start` does not fit.

    Examples
    --------
    >>> fit = fit_dawid_skene(
    ...     [0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1],
    ...     n_items=3, n_workers=2, n_classes=2, n_answers=2, class_of_answer=[0, 1],
    ... )
    >>> fit.item_probabilities.round(1).tolist()
    [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]]
    """
    items = _indices("item", item, None, 0, n_items)
    workers = _indices("worker", worker, len(items), 0, n_workers)
    answers = _indices("answer", answer, len(items), 0, n_answers)
    names = _indices("class_of_answer", class_of_answer, n_answers, -1, n_classes)
    group = _indices(
        "item_group", np.zeros(n_items, int) if item_group is None else item_group, n_items, 0, 1024
    )
    n_groups = _n_groups(group, allowed)
    mask = _mask(item_mask, n_items)
    _check_strengths(worker_strength, crowd_strength, class_strength)
    _check_share("transfer", transfer)
    _check_share("correlation", correlation or 0.0)
    if max_iterations < 1:
        raise InputError(f"max_iterations must be at least 1, got {max_iterations}")
    may_be = _allowed(allowed, n_groups, n_classes)
    priors = _Priors(
        _crowd_mean(names, n_classes),
        may_be,
        *_own_prior(item_prior, known, may_be, group),
        worker_strength,
        crowd_strength,
        class_strength,
        transfer,
    )
    slot = (group[items] * n_workers + workers) * n_answers + answers
    n_slots = n_groups * n_workers * n_answers
    judged = judgment_slots(judgments, n_items=n_items, n_workers=n_workers, n_classes=n_classes)
    teaches, instructs = mask[items], mask[judged.item]
    evidence = _Evidence(_votes(items, slot, n_items, n_slots), judged, group)
    lessons = _Evidence(
        _votes(items[teaches], slot[teaches], n_items, n_slots),
        replace(judged, item=judged.item[instructs], slot=judged.slot[instructs]),
        group,
    )
    said = np.bincount(items, minlength=n_items) + np.bincount(judged.item, minlength=n_items)
    counts = (mask & (said > 0)).astype(float)
    weight = counts.copy()
    weight[priors.owner] = 0.0

    shape = (n_groups, n_workers, n_answers)
    learns, alike = correlation is None, correlation or 0.0
    sizes = _Sizes(np.ones((n_groups, n_workers)), np.full(n_groups, alike), 1.0, alike)
    if start is None:
        probabilities = _first_guess(items, names[answers], group, judged, priors)
    else:
        resumed = _resumed(start, shape, n_classes)
        if learns:
            sizes = replace(
                sizes,
                correlation=start.correlation,
                judgment_correlation=start.judgment_correlation,
            )
        sizes = _measured(lessons, resumed, sizes)
        probabilities, _ = _expect(evidence, resumed, sizes, priors)
    history: list[float] = []
    converged = False
    while not converged and len(history) < max_iterations:
        parameters = _maximize(lessons, probabilities, group, weight, shape, priors)
        sizes = _measured(lessons, parameters, sizes)
        n_rounds = len(history) + 1
        if learns and n_rounds % LEARNING_PERIOD == 0 and n_rounds <= LAST_LEARNING:
            sizes = _learnt(lessons, probabilities, parameters, sizes, priors)
        updated, log_evidence = _expect(evidence, parameters, sizes, priors)
        history.append(float(log_evidence @ counts))
        moves = (np.abs(updated - probabilities) > tolerance).any(axis=0)
        is_still = bool((moves & mask).sum() <= STILL_MOVING * mask.sum())
        converged = is_still and (not learns or n_rounds >= LEARNING_PERIOD)
        probabilities = updated
    return DawidSkeneFit(
        probabilities.T.copy(),
        parameters.confusion.transpose(1, 2, 0, 3),
        parameters.crowd.transpose(1, 0, 2),
        parameters.class_prior.T.copy(),
        parameters.judgment.crowd,
        parameters.judgment.odds,
        sizes.vote,
        sizes.correlation,
        sizes.judgment_unit,
        sizes.judgment_correlation,
        np.array(history),
        len(history),
        converged,
    )


def _n_groups(group: IntArray, allowed: ArrayLike | None) -> int:
    found = int(group.max()) + 1 if len(group) else 1
    return found if allowed is None else max(found, len(np.asarray(allowed)))


def _check_strengths(worker: float, crowd: float, classes: float) -> None:
    for name, value in (("worker", worker), ("crowd", crowd), ("class", classes)):
        if not value > 0.0:
            raise InputError(f"{name}_strength must be positive, got {value}")


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise InputError(f"{name} must lie between 0 and 1, got {value}")


def _sizes(fit: DawidSkeneFit) -> _Sizes:
    return _Sizes(fit.vote_size, fit.correlation, fit.judgment_unit, fit.judgment_correlation)


def vote_log_likelihood(
    fit: DawidSkeneFit,
    target: ArrayLike,
    worker: ArrayLike,
    answer: ArrayLike,
    *,
    n: int,
    group: int,
) -> FloatArray:
    """Sum what votes say of each of `n` things, damped as in the fit, without any prior.

    Parameters
    ----------
    fit : DawidSkeneFit
        Supplies the confusion matrices.
    target, worker, answer : array_like of int, (V,)
        Thing voted on, volunteer and answer.
    n : int
        Number of things.
    group : int
        Kind of item whose matrices apply.

    Returns
    -------
    ndarray, float64, (n, K)
        Log probability of all answers for each class; 0 where nobody voted.
    """
    _, n_workers, _, n_answers = fit.confusion.shape
    targets = _indices("target", target, None, 0, n)
    workers = _indices("worker", worker, len(targets), 0, n_workers)
    answers = _indices("answer", answer, len(targets), 0, n_answers)
    votes = _votes(targets, workers * n_answers + answers, n, n_workers * n_answers)
    sizes = replace(_sizes(fit), vote=fit.vote_size[group], correlation=fit.correlation[[group]])
    confusion = fit.confusion[group].transpose(1, 0, 2)
    return _vote_sum(votes, confusion, sizes, np.zeros(n, dtype=np.int64)).T.copy()


def judgment_log_likelihood(fit: DawidSkeneFit, judgments: Judgments, *, n: int) -> FloatArray:
    """Sum what judgments say of each of `n` things, damped as in the fit, without any prior.

    Parameters
    ----------
    fit : DawidSkeneFit
        Supplies the tables.
    judgments : Judgments
        Their `item` is the thing judged.
    n : int
        Number of things.

    Returns
    -------
    ndarray, float64, (n, K)
        Log probability of all ticks and passes for each class; 0 where nobody judged.

    Examples
    --------
    >>> fit = fit_dawid_skene(
    ...     [0], [0], [0], n_items=1, n_workers=1, n_classes=2, n_answers=2, class_of_answer=[0, 1]
    ... )
    >>> ticks = Judgments([1], [0], [0], [True])  # "this is not a 0"
    >>> np.exp(judgment_log_likelihood(fit, ticks, n=2)).round(2).tolist()
    [[1.0, 1.0], [0.1, 0.7]]
    """
    _, n_workers, n_classes, _ = fit.confusion.shape
    slots = judgment_slots(judgments, n_items=n, n_workers=n_workers, n_classes=n_classes)
    tables = JudgmentTables(fit.crowd_judgment, fit.judgment_odds)
    return _judgment_sum(slots, tables, _sizes(fit), n).T.copy()
