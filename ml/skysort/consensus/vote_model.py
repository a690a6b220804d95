"""The vote model as it is used: Dawid-Skene that guards itself by foretelling votes held out.

Plain Dawid-Skene can be worse than a count of votes: matrices of volunteers with few votes follow
chance, and items that mislead everybody look like proofs. Here both are settled by the votes. How
far a volunteer may differ from the crowd is the strength of the prior under which votes that were
put aside are foretold best, tried in parts as in cross-validation (Stone 1974, JRSS B 36, 111); how
much alike the votes on one item are is learnt in the fit (`dependence`).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.consensus.dawid_skene import DawidSkeneFit, fit_dawid_skene

__all__ = ["CROWD_STRENGTH", "STRENGTHS", "choose_worker_strength", "fit_vote_model"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Pseudo-votes behind a volunteer's row that are tried: the usual crowd, and one whose members have
#: little in common. The first one stays unless another is better by more than the error of the
#: difference. A stronger prior foretells votes better, but names classes worse.
STRENGTHS = (5.0, 1.0)
#: Pseudo-votes behind the crowd's own rows: classes stay what volunteers call them, also where a
#: class is so rare or so hard that its row would rather follow the mistakes.
CROWD_STRENGTH = 200.0
#: Votes are put aside in fifths: all five in turn where votes are few, one where they are many. Of
#: hardly any nothing can be learnt, and of very many the prior matters little.
N_PARTS, VOTES_FOR_ALL_PARTS, FEWEST_VOTES, MOST_VOTES = 5, 60_000, 50, 200_000
#: Rounds of a fit that is only to be compared.
TRIAL_ROUNDS = 25


def fit_vote_model(
    item: ArrayLike,
    worker: ArrayLike,
    answer: ArrayLike,
    *,
    worker_strength: float | None = None,
    **arguments: Any,
) -> DawidSkeneFit:
    """Estimate classes of items and confusion matrices of volunteers, however the crowd is.

    Parameters
    ----------
    item, worker, answer : array_like of int, (V,)
        One vote per entry, in any order.
    worker_strength : float, optional
        See `fit_dawid_skene`; by default chosen by `choose_worker_strength`.
    **arguments
        The others of `fit_dawid_skene`; unless given, `correlation` is learnt and `crowd_strength`
        is `CROWD_STRENGTH`.

    Returns
    -------
    DawidSkeneFit
        Posteriors and matrices.

    Raises
    ------
    InputError
        As `fit_dawid_skene`.

    Examples
    --------
    >>> fit = fit_vote_model(
    ...     [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 0],
    ...     n_items=2, n_workers=3, n_classes=2, n_answers=2, class_of_answer=[0, 1],
    ... )
    >>> fit.item_probabilities.argmax(axis=1).tolist()
    [0, 1]
    """
    settled = {"correlation": None, "crowd_strength": CROWD_STRENGTH} | arguments
    strength = worker_strength
    if strength is None:
        strength = choose_worker_strength(item, worker, answer, **settled)
    return fit_dawid_skene(item, worker, answer, worker_strength=strength, **settled)


def choose_worker_strength(
    item: ArrayLike, worker: ArrayLike, answer: ArrayLike, **arguments: Any
) -> float:
    """Find the strength of the crowd's prior under which votes put aside are foretold best.

    Parameters
    ----------
    item, worker, answer : array_like of int, (V,)
        Votes.
    **arguments
        The others of `fit_dawid_skene`, without `worker_strength`.

    Returns
    -------
    float
        One of `STRENGTHS`.

    Raises
    ------
    InputError
        As `fit_dawid_skene`.

    Examples
    --------
    >>> choose_worker_strength(
    ...     [0, 0], [0, 1], [1, 1],
    ...     n_items=1, n_workers=2, n_classes=2, n_answers=2, class_of_answer=[0, 1],
    ... )
    5.0
    """
    votes = (np.asarray(item), np.asarray(worker), np.asarray(answer))
    parts = _parts(len(votes[0]))
    if not parts:
        return STRENGTHS[0]
    chances = np.concatenate([_foretold(votes, aside, arguments) for aside in parts])
    gain = chances - chances[:, :1]
    total = gain.sum(axis=0)
    error = gain.std(axis=0) * np.sqrt(len(gain))
    sure = np.where(total > error, total, 0.0)
    return STRENGTHS[int(sure.argmax())]


def _parts(n_votes: int) -> list[NDArray[np.bool_]]:
    """Give masks (V,) of votes to put aside; none where nothing is to be tried."""
    if not FEWEST_VOTES <= n_votes <= MOST_VOTES:
        return []
    part = np.random.default_rng(0).integers(N_PARTS, size=n_votes)
    return [part == k for k in range(N_PARTS if n_votes <= VOTES_FOR_ALL_PARTS else 1)]


def _foretold(
    votes: tuple[IntArray, IntArray, IntArray], aside: NDArray[np.bool_], arguments: dict[str, Any]
) -> FloatArray:
    """Log chance (n, S) of each vote put aside, foretold from the others with every strength."""
    item, worker, answer = (column[~aside] for column in votes)
    mask = arguments.get("item_mask")
    group = arguments.get("item_group")
    if mask is not None:
        aside = aside & np.asarray(mask)[votes[0]]
    items, workers, answers = (column[aside] for column in votes)
    kind = np.zeros(len(items), dtype=np.int64) if group is None else np.asarray(group)[items]
    trial = arguments | {"max_iterations": TRIAL_ROUNDS}
    columns = []
    for strength in STRENGTHS:
        fit = fit_dawid_skene(item, worker, answer, worker_strength=strength, **trial)
        chance = np.zeros(len(items))
        for k, probability in enumerate(fit.item_probabilities.T):
            chance += probability[items] * fit.confusion[kind, workers, k, answers]
        columns.append(np.log(chance))
    return np.stack(columns, axis=1)
