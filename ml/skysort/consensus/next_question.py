"""Asks where an answer is worth most: expected gain over the whole catalog per second.

The gain of an answer is the entropy that it is expected to take from the catalog's rows (Lindley
1956, Ann. Math. Stat. 27, 986; MacKay 1992, Neural Computation 4, 590): of the subject shown, of
all members shown in a grid, of all members of a prototype. A label also teaches the head, which
takes entropy from all other rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skysort.consensus.evidence import entropy_bits
from skysort.consensus.head import softmax
from skysort.consensus.merge import MergeResult
from skysort.consensus.projection import CellTable, membership
from skysort.errors import InputError

__all__ = ["KINDS", "Question", "QuestionSettings", "direct_gain", "judgment_gain", "questions"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

KINDS: Final = ("prototype", "grid", "subject")
#: Bits a row that so many lessons are expected to bring, before votes have shown it.
LESSON_BITS: Final = 0.2
LESSONS: Final = 100.0
#: Probabilities below this are rounding.
LEAST_PROBABILITY: Final = 1e-9
#: Prototypes are expected to be followed so far at least, once they have more votes.
LEAST_FOLLOW: Final = 0.5
#: The fewest that a head is known to bring, so that it is never written off.
LEAST_BITS: Final = 0.02
#: A row that is nearly certain teaches as if it were a little less so.
LEAST_ENTROPY: Final = 0.2
#: Lessons until the learning curve bends.
FEW_LESSONS: Final = 40.0
#: Seconds that an answer takes until some have been measured.
USUAL_SECONDS: Final = MappingProxyType({"prototype": 8.0, "grid": 16.0, "subject": 5.0})


@dataclass(frozen=True)
class QuestionSettings:
    """What may be asked.

    Attributes
    ----------
    seconds : mapping of str to float
        Median time of an answer to each of the `KINDS`.
    grid_size, least_in_grid : int
        Members in a grid, and the fewest that make one.
    grids_per_prototype : int
        Grids of one prototype at most.
    least_purity : float
        Expected share of a grid's members that its label fits: volunteers tick the few, not the
        many.
    sure : float
        A subject of this probability is settled and not asked about.
    n_subjects : int
        Single subjects at most.
    """

    seconds: Mapping[str, float] = field(default_factory=lambda: USUAL_SECONDS)
    grid_size: int = 12
    least_in_grid: int = 4
    grids_per_prototype: int = 3
    least_purity: float = 0.5
    sure: float = 0.98
    n_subjects: int = 400

    def __post_init__(self) -> None:
        for kind in KINDS:
            if not self.seconds.get(kind, 0.0) > 0.0:
                raise InputError(f"seconds must hold a positive time for {kind!r}")
        if not 2 <= self.least_in_grid <= self.grid_size:
            raise InputError(
                f"least_in_grid must lie between 2 and grid_size = {self.grid_size}, "
                f"got {self.least_in_grid}"
            )


@dataclass(frozen=True)
class Question:
    """Something worth asking.

    Attributes
    ----------
    kind : str
        One of the `KINDS`.
    cell : int
        Prototype shown, or whose members are shown; -1 for a single subject.
    label : int
        Class that a grid names, an index into the subject classes; -1 for other kinds.
    subjects : ndarray, int64, (n,)
        Members shown, or the one subject; empty for a prototype.
    gain : float
        Expected bits that one answer takes from the catalog per second.
    """

    kind: str
    cell: int
    label: int
    subjects: IntArray
    gain: float


def direct_gain(probabilities: FloatArray, confusion: FloatArray) -> FloatArray:
    """Bits that one vote on each subject is expected to tell of it.

    Parameters
    ----------
    probabilities : ndarray, float64, (N, C)
        Class probabilities.
    confusion : ndarray, float64, (C, A)
        Probability of each answer for each class.

    Returns
    -------
    ndarray, float64, (N,)
        Mutual information of class and answer, from 0 to the entropy of the class.

    Examples
    --------
    >>> import numpy as np
    >>> direct_gain(np.array([[0.5, 0.5], [1.0, 0.0]]), np.eye(2)).tolist()
    [1.0, 0.0]
    """
    told = entropy_bits(probabilities @ confusion) - probabilities @ entropy_bits(confusion)
    gain: FloatArray = np.maximum(told, 0.0)
    return gain


def judgment_gain(probabilities: FloatArray, judgment: FloatArray) -> FloatArray:
    """Bits that one look at each subject in a grid is expected to tell of it.

    Parameters
    ----------
    probabilities : ndarray, float64, (N, C)
        Class probabilities.
    judgment : ndarray, float64, (C, C, 2)
        By label named, class and answer (0 passes, 1 ticks).

    Returns
    -------
    ndarray, float64, (C, N)
        By label named.
    """
    return np.stack([direct_gain(probabilities, named) for named in judgment])


def _lesson_worth(result: MergeResult) -> float:
    """Bits that all other rows together gain through the head if a subject's class becomes known.

    What the head knows beyond the prototypes grows about as the logarithm of its lessons M, so the
    next one is worth ``N a / (M + m)``, with a from what the head gained on held-out votes so far
    (an expectation until there are some). All subjects count alike: choosing those that a design
    would, or the least certain alone, taught the head less in trials than a random choice.
    """
    own = result.own_log_likelihood
    n, n_classes = own.shape
    told = 1.0 - entropy_bits(softmax(own[own.any(axis=1)])) / np.log2(max(n_classes, 2))
    n_lessons = float(told.sum())
    bits = (n_lessons * result.head.gain_bits + LESSONS * LESSON_BITS) / (n_lessons + LESSONS)
    scale = max(bits, LEAST_BITS) / np.log1p(max(n_lessons, LESSONS) / FEW_LESSONS)
    return float(n * scale / (n_lessons + FEW_LESSONS))


def _prototype_gain(result: MergeResult, cells: CellTable) -> FloatArray:
    """Bits (n_cells,) that one vote on each prototype takes from its members.

    An answer changes the prototype's class, and that its members' logits as far as they follow it.
    """
    pure = _pure(result)
    mixed = [k for k in range(result.cell_probabilities.shape[1]) if k not in pure]
    before = result.cell_probabilities  # (n_cells, K)
    confusion = result.fit.crowd_confusion[0]  # (K, A)
    prior = result.class_prior
    share = membership(cells, trust=result.trust)
    cell = softmax(np.log(prior) + result.head.cell_logits)
    follow = max(_follow(result), LEAST_FOLLOW) / result.head.temperature
    base = np.log(np.maximum(result.subject_probabilities, LEAST_PROBABILITY))
    now = entropy_bits(result.subject_probabilities)
    chance = before @ confusion  # (n_cells, A)
    changes = []
    for a in range(confusion.shape[1]):
        after = before * confusion[:, a]
        after /= np.maximum(after.sum(axis=1, keepdims=True), LEAST_PROBABILITY)
        change = after - before
        changes.append(change[:, pure] + change[:, mixed].sum(axis=1)[:, None] * prior)
    gain = np.zeros(cells.n_cells)
    for place, weight in ((cells.best, share.best), (cells.second, share.second)):
        expected = np.zeros(len(place))
        for a, change in enumerate(changes):
            moved = np.maximum(cell + weight[:, None] * change[place], LEAST_PROBABILITY)
            step = follow * np.log(moved / np.maximum(cell, LEAST_PROBABILITY))
            expected += chance[place, a] * entropy_bits(softmax(base + step))
        fall = np.maximum(now - expected, 0.0)
        gain += np.bincount(place, weights=fall, minlength=cells.n_cells)
    return gain


def _follow(result: MergeResult) -> float:
    choice = result.head.choice
    return 1.0 if choice is None else choice.follow


def _pure(result: MergeResult) -> list[int]:
    """Find the subject classes among the classes of prototypes."""
    n_classes, n_pure = result.cell_probabilities.shape[1], len(result.subject_classes)
    if n_classes == n_pure:
        return list(range(n_pure))
    mixed = int(np.flatnonzero(result.fit.class_prior[1] == 0.0)[0])
    return [k for k in range(n_classes) if k != mixed]


def _grids(
    probabilities: FloatArray,
    gain: FloatArray,
    is_open: BoolArray,
    cells: CellTable,
    settings: QuestionSettings,
) -> Iterator[Question]:
    """Put the open members of each prototype that may be of a class together, the best first."""
    size = settings.grid_size
    seconds = settings.seconds["grid"]
    for label in range(probabilities.shape[1]):
        likely = is_open & (probabilities[:, label] >= settings.least_purity / 2.0)
        rows = np.flatnonzero(likely)
        rows = rows[np.lexsort((-gain[label, rows], cells.best[rows]))]
        cell = cells.best[rows]
        if not len(rows):
            continue
        starts = np.flatnonzero(np.diff(cell, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            stop = min(end, start + size * settings.grids_per_prototype)
            for first in range(start, stop, size):
                members = rows[first : min(first + size, stop)]
                members = _purest(members, probabilities[:, label], settings)
                if len(members) >= settings.least_in_grid:
                    bits = float(gain[label, members].sum())
                    yield Question("grid", int(cell[start]), label, members, bits / seconds)


def _purest(members: IntArray, probability: FloatArray, settings: QuestionSettings) -> IntArray:
    """Leave out the least likely ones until enough of the rest are expected to belong."""
    ranked = members[np.argsort(-probability[members], kind="stable")]
    purity = np.cumsum(probability[ranked]) / np.arange(1, len(ranked) + 1)
    return ranked[: np.searchsorted(-purity, -settings.least_purity, side="right")]


def _drawn(gain: FloatArray, is_open: BoolArray, n: int, rng: np.random.Generator) -> IntArray:
    """Draw open subjects, the more likely the larger their gain: the best alone are all alike.

    Weighted sampling without replacement by exponential waiting times (Efraimidis & Spirakis 2006).
    """
    rows = np.flatnonzero(is_open & (gain > 0.0))
    waiting = rng.exponential(size=len(rows)) / gain[rows]
    drawn: IntArray = rows[np.argsort(waiting, kind="stable")[:n]]
    return drawn


def questions(
    result: MergeResult,
    cells: CellTable,
    *,
    is_closed: BoolArray | None = None,
    settings: QuestionSettings | None = None,
    seed: int = 0,
) -> list[Question]:
    """List what is worth asking, the largest expected gain per second first.

    Parameters
    ----------
    result : MergeResult
        What is believed now.
    cells : CellTable
        Every subject's place on the map.
    is_closed : ndarray of bool, (N,), optional
        Subjects that shall not be asked about: retired, or of the audit sample.
    settings : QuestionSettings, optional
        By default the defaults.
    seed : int, optional
        Single subjects are drawn at random, with chances in proportion to their gain.

    Returns
    -------
    list of Question

    Raises
    ------
    InputError
        If `is_closed` has another length.
    """
    chosen = settings or QuestionSettings()
    probabilities = result.subject_probabilities
    n = len(probabilities)
    closed = np.zeros(n, dtype=bool) if is_closed is None else is_closed
    if closed.shape != (n,):
        raise InputError(f"is_closed must have {n} entries, got {closed.shape}")
    is_open = ~closed & (probabilities.max(axis=1) < chosen.sure)
    pure = _pure(result)
    direct = direct_gain(probabilities, result.fit.crowd_confusion[1][pure])
    judged = judgment_gain(probabilities, result.fit.crowd_judgment[np.ix_(pure, pure)])
    if result.head.n_features:
        entropy = np.maximum(entropy_bits(probabilities), LEAST_ENTROPY)
        worth = 1.0 + _lesson_worth(result) / entropy
        direct, judged = direct * worth, judged * worth
    asked = list(_grids(probabilities, judged, is_open, cells, chosen))
    seconds = chosen.seconds["subject"]
    drawn = _drawn(direct, is_open, chosen.n_subjects, np.random.default_rng(seed))
    asked += [
        Question("subject", -1, -1, drawn[k : k + 1], float(direct[n]) / seconds)
        for k, n in enumerate(drawn)
    ]
    per_vote = _prototype_gain(result, cells) / chosen.seconds["prototype"]
    filled = np.flatnonzero(np.bincount(cells.best, minlength=cells.n_cells))
    none = np.empty(0, dtype=np.int64)
    asked += [Question("prototype", int(k), -1, none, float(per_vote[k])) for k in filled]
    return sorted(asked, key=lambda question: -question.gain)
