"""The door of the room: votes and places on the map in, class probabilities out.

The first model: Dawid-Skene over all items, projection of the prototypes' classes with the
distance, direct votes multiplied in. A fuller model replaces the body of `merge` and keeps its
tables.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skysort.consensus.dawid_skene import DawidSkeneFit, fit_dawid_skene, vote_log_likelihood
from skysort.consensus.projection import (
    CellTable,
    combine,
    fit_trust,
    membership,
    project_cells,
)
from skysort.errors import InputError

__all__ = [
    "ITEM_KINDS",
    "MODEL",
    "CellTable",
    "MergeResult",
    "MergeSettings",
    "VoteTable",
    "merge",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Name and version of the model, for the record of a run.
MODEL = "dawid-skene-projection/2"
#: Kinds of items in the order of `MergeResult.worker_confusion`.
ITEM_KINDS = ("prototype", "subject")
PROTOTYPE, SUBJECT = range(2)


@dataclass(frozen=True)
class VoteTable:
    """All votes that count, and what the items show.

    Attributes
    ----------
    item, worker, answer : ndarray of int, (V,)
        One vote per entry: index of the item, the volunteer and the answer.
    item_cell : ndarray of int, (I,)
        Prototype that an item shows; -1 if it shows a subject. A prototype has one item at most.
    item_subject : ndarray of int, (I,)
        Subject that an item shows; -1 if it shows a prototype.
    n_workers : int
        Number of volunteers, W.
    answers : list of str
        Keys of the A answers.
    classes : list of str
        Keys of the K classes, the mixed one among them if there is one.
    class_of_answer : ndarray of int, (A,)
        Class that each answer names; -1 for none ("cannot tell").
    item_is_audit : ndarray of bool, (I,), optional
        Items of the audit sample: judged, but never taught from. By default none.
    """

    item: IntArray
    worker: IntArray
    answer: IntArray
    item_cell: IntArray
    item_subject: IntArray
    n_workers: int
    answers: list[str]
    classes: list[str]
    class_of_answer: IntArray
    item_is_audit: NDArray[np.bool_] | None = None

    @property
    def n_items(self) -> int:
        """Number of items, I."""
        return len(self.item_cell)


@dataclass(frozen=True)
class MergeSettings:
    """What can be turned.

    The defaults are a compromise. `worker_strength` is the largest that still loses nothing on the
    real crowds bluebird and rte (39 and 164 volunteers with many votes each); the others gave the
    smallest log loss on maps of real FIRST and of synthetic images under simulated crowds with 3 to
    7 votes for each of 100 prototypes.

    Attributes
    ----------
    mixed_class : str
        Key of the class of prototypes whose members are not alike.
    worker_strength, crowd_strength, class_strength, transfer, max_iterations, tolerance
        See `dawid_skene.fit_dawid_skene`.
    trust_mean, trust_strength, half_distance, fuzziness
        See `projection.fit_trust` and `projection.membership`.
    """

    mixed_class: str = "mixed"
    worker_strength: float = 5.0
    crowd_strength: float = 40.0
    class_strength: float = 10.0
    transfer: float = 0.25
    max_iterations: int = 100
    tolerance: float = 1e-4
    trust_mean: float = 0.85
    trust_strength: float = 10.0
    half_distance: float = 5.0
    fuzziness: float = 1.5


@dataclass(frozen=True)
class MergeResult:
    """What a merge believes; N subjects, C subject classes (those of the table less the mixed one).

    Attributes
    ----------
    subject_classes : list of str
        Keys of the C classes, in the order of every subject probability.
    item_probabilities : ndarray, float64, (I, K)
        Class probabilities of items, sums to 1.
    item_entropy_bits : ndarray, float64, (I,)
        Shannon entropy of `item_probabilities`.
    worker_confusion : ndarray, float64, (2, W, K, A)
        Probability of each answer for each class; kinds as in `ITEM_KINDS`.
    crowd_confusion : ndarray, float64, (2, K, A)
        The same for a volunteer without votes.
    worker_agreement : ndarray, float64, (W,)
        Mean probability of naming the true class, over the items that the volunteer saw.
    class_prior : ndarray, float64, (C,)
        Class frequencies in the catalog, from the prototypes' classes and their hits.
    trust : float
        Learnt share of members in the midst of a prototype that have its class.
    projected_probabilities : ndarray, float64, (N, C)
        What the prototypes alone say: without the votes on the subject itself. The audit compares
        this with the audit items, so that it judges rows that nobody looked at.
    subject_probabilities : ndarray, float64, (N, C)
        With those votes; sums to 1.
    label : ndarray, int64, (N,)
        Index of the most probable class; the first of equals.
    entropy_bits : ndarray, float64, (N,)
        Shannon entropy of `subject_probabilities`.
    weight_prototype, weight_direct, weight_prior : ndarray, float64, (N,)
        Where the label comes from, sums to 1; see `projection.combine`.
    n_votes_prototype, n_votes_direct : ndarray, int64, (N,)
        Votes on the subject's best prototype and on the subject.
    n_workers : ndarray, int64, (N,)
        Different volunteers behind both.
    log_likelihood : ndarray, float64, (n_iterations,)
        Trace of the fit, natural logarithm.
    n_iterations : int
        Rounds of the fit.
    converged : bool
        Whether it came to rest.
    """

    subject_classes: list[str]
    item_probabilities: FloatArray
    item_entropy_bits: FloatArray
    worker_confusion: FloatArray
    crowd_confusion: FloatArray
    worker_agreement: FloatArray
    class_prior: FloatArray
    trust: float
    projected_probabilities: FloatArray
    subject_probabilities: FloatArray
    label: IntArray
    entropy_bits: FloatArray
    weight_prototype: FloatArray
    weight_direct: FloatArray
    weight_prior: FloatArray
    n_votes_prototype: IntArray
    n_votes_direct: IntArray
    n_workers: IntArray
    log_likelihood: FloatArray = field(repr=False)
    n_iterations: int
    converged: bool


def _check(votes: VoteTable, cells: CellTable) -> None:
    n_subjects = len(cells.best)
    for name, index, stop in (
        ("item_cell", votes.item_cell, cells.n_cells),
        ("item_subject", votes.item_subject, n_subjects),
    ):
        if index.shape != (votes.n_items,):
            raise InputError(f"{name} must have {votes.n_items} entries, got {index.shape}")
        if index.dtype.kind not in "iu":
            raise InputError(f"{name} must be integers, got {index.dtype}")
        if index.size and not (index.min() >= -1 and index.max() < stop):
            raise InputError(f"{name} must lie between -1 and {stop - 1}")
    both = np.flatnonzero((votes.item_cell >= 0) == (votes.item_subject >= 0))
    if len(both):
        raise InputError(f"item {both[0]} must show either a prototype or a subject")
    shown = np.bincount(votes.item_cell[votes.item_cell >= 0], minlength=cells.n_cells)
    if (shown > 1).any():
        raise InputError(f"prototype {shown.argmax()} must have one item, got {shown.max()}")


def _allowed(votes: VoteTable, mixed: int | None) -> NDArray[np.bool_]:
    allowed = np.ones((len(ITEM_KINDS), len(votes.classes)), dtype=bool)
    if mixed is not None:
        allowed[SUBJECT, mixed] = False
    return allowed


def _fit(votes: VoteTable, mixed: int | None, settings: MergeSettings) -> DawidSkeneFit:
    audit = votes.item_is_audit
    return fit_dawid_skene(
        votes.item,
        votes.worker,
        votes.answer,
        n_items=votes.n_items,
        n_workers=votes.n_workers,
        n_classes=len(votes.classes),
        n_answers=len(votes.answers),
        class_of_answer=votes.class_of_answer,
        item_group=np.where(votes.item_cell >= 0, PROTOTYPE, SUBJECT),
        allowed=_allowed(votes, mixed),
        item_mask=None if audit is None else ~np.asarray(audit),
        worker_strength=settings.worker_strength,
        crowd_strength=settings.crowd_strength,
        class_strength=settings.class_strength,
        transfer=settings.transfer,
        max_iterations=settings.max_iterations,
        tolerance=settings.tolerance,
    )


def _cell_probabilities(
    votes: VoteTable, fit: DawidSkeneFit, n_cells: int
) -> tuple[FloatArray, IntArray]:
    """Class probabilities (n_cells, K) of prototypes and the votes behind each (n_cells,)."""
    shows_cell = np.flatnonzero(votes.item_cell >= 0)
    probabilities = np.tile(fit.class_prior[PROTOTYPE], (n_cells, 1))
    probabilities[votes.item_cell[shows_cell]] = fit.item_probabilities[shows_cell]
    cell = votes.item_cell[votes.item]
    return probabilities, np.bincount(cell[cell >= 0], minlength=n_cells)


def _class_prior(
    pure: FloatArray, cells: CellTable, known: NDArray[np.bool_], strength: float
) -> FloatArray:
    """Class frequencies (C,) of the members of prototypes with votes, a little flattened."""
    hits = np.bincount(cells.best, minlength=cells.n_cells) * known
    counts = hits @ pure + strength / pure.shape[1]
    share: FloatArray = counts / counts.sum()
    return share


def _direct(
    votes: VoteTable, fit: DawidSkeneFit, n_subjects: int, chosen: NDArray[np.bool_]
) -> FloatArray:
    """Log likelihood (N, K) of the chosen votes (V,) on the subjects themselves."""
    return vote_log_likelihood(
        fit,
        votes.item_subject[votes.item[chosen]],
        votes.worker[chosen],
        votes.answer[chosen],
        n=n_subjects,
        group=SUBJECT,
    )


def _agreement(votes: VoteTable, fit: DawidSkeneFit) -> FloatArray:
    """Mean chance (W,) that a volunteer names the true class of an item of theirs."""
    n_classes = len(votes.classes)
    names = np.asarray(votes.class_of_answer) == np.arange(n_classes)[:, None]  # (K, A)
    right = (fit.confusion * names).sum(axis=3)  # (G, W, K)
    by_kind = np.einsum("gwk,gk->gw", right, fit.class_prior)
    kind = np.where(votes.item_cell[votes.item] >= 0, PROTOTYPE, SUBJECT)
    seen = np.stack(
        [np.bincount(votes.worker[kind == g], minlength=votes.n_workers) for g in (0, 1)]
    )
    weight = np.where(seen.sum(axis=0) > 0, seen, 1)
    mean: FloatArray = (weight * by_kind).sum(axis=0) / weight.sum(axis=0)
    return mean


def _n_workers(votes: VoteTable, cells: CellTable) -> IntArray:
    """Count different volunteers (N,) behind each subject: on its best prototype or on itself."""
    n_workers = votes.n_workers
    cell, subject = votes.item_cell[votes.item], votes.item_subject[votes.item]
    on_cell = np.unique(cell[cell >= 0] * n_workers + votes.worker[cell >= 0])
    on_subject = np.unique(subject[subject >= 0] * n_workers + votes.worker[subject >= 0])
    by_cell = np.bincount(on_cell // n_workers, minlength=cells.n_cells)
    subjects, workers = on_subject // n_workers, on_subject % n_workers
    is_new = ~np.isin(cells.best[subjects] * n_workers + workers, on_cell)
    fresh = np.bincount(subjects[is_new], minlength=len(cells.best))
    return by_cell[cells.best] + fresh


def _entropy_bits(probabilities: FloatArray) -> FloatArray:
    log = np.log2(np.where(probabilities > 0.0, probabilities, 1.0))
    entropy: FloatArray = np.maximum(-(probabilities * log).sum(axis=1), 0.0)
    return entropy


def merge(votes: VoteTable, cells: CellTable, settings: MergeSettings | None = None) -> MergeResult:
    """Turn votes on items and places on the map into a class distribution of every subject.

    Parameters
    ----------
    votes : VoteTable
        Votes on prototypes and on subjects; may be empty.
    cells : CellTable
        Every subject's place on the map.
    settings : MergeSettings, optional
        By default the defaults.

    Returns
    -------
    MergeResult
        Probabilities of items and subjects, confusion matrices and where each label comes from.

    Raises
    ------
    InputError
        If an index is out of range or an item shows both a prototype and a subject.

    Examples
    --------
    >>> import numpy as np
    >>> votes = VoteTable(
    ...     item=np.array([0, 0]), worker=np.array([0, 1]), answer=np.array([1, 1]),
    ...     item_cell=np.array([0]), item_subject=np.array([-1]), n_workers=2,
    ...     answers=["fri", "frii"], classes=["fri", "frii"], class_of_answer=np.array([0, 1]),
    ... )
    >>> near, far = np.array([0, 0, 1]), np.array([1, 1, 0])
    >>> cells = CellTable(near, far, np.array([1.0, 1.1, 1.0]), np.array([3.0, 3.0, 3.0]), 2)
    >>> [merge(votes, cells).subject_classes[k] for k in merge(votes, cells).label]
    ['frii', 'frii', 'frii']
    """
    chosen = settings or MergeSettings()
    _check(votes, cells)
    classes = votes.classes
    mixed = classes.index(chosen.mixed_class) if chosen.mixed_class in classes else None
    pure = [k for k in range(len(classes)) if k != mixed]
    fit = _fit(votes, mixed, chosen)

    cell_probabilities, cell_votes = _cell_probabilities(votes, fit, cells.n_cells)
    known = cell_votes > 0
    prior = _class_prior(cell_probabilities[:, pure], cells, known, chosen.class_strength)
    is_direct = votes.item_subject[votes.item] >= 0
    teaches = is_direct.copy()
    if votes.item_is_audit is not None:
        teaches &= ~votes.item_is_audit[votes.item]
    n_subjects = len(cells.best)
    trust = fit_trust(
        cell_probabilities,
        cells,
        _direct(votes, fit, n_subjects, teaches)[:, pure],
        class_prior=prior,
        mixed_class=mixed,
        cell_is_known=known,
        mean=chosen.trust_mean,
        strength=chosen.trust_strength,
        half_distance=chosen.half_distance,
        fuzziness=chosen.fuzziness,
    )
    projection = project_cells(
        cell_probabilities,
        cells,
        membership(
            cells, trust=trust, half_distance=chosen.half_distance, fuzziness=chosen.fuzziness
        ),
        class_prior=prior,
        mixed_class=mixed,
        cell_is_known=known,
    )
    both = combine(projection, _direct(votes, fit, n_subjects, is_direct)[:, pure])
    subject = votes.item_subject[votes.item[is_direct]]
    return MergeResult(
        subject_classes=[classes[k] for k in pure],
        item_probabilities=fit.item_probabilities,
        item_entropy_bits=_entropy_bits(fit.item_probabilities),
        worker_confusion=fit.confusion,
        crowd_confusion=fit.crowd_confusion,
        worker_agreement=_agreement(votes, fit),
        class_prior=prior,
        trust=trust,
        projected_probabilities=projection.probabilities,
        subject_probabilities=both.probabilities,
        label=both.label,
        entropy_bits=_entropy_bits(both.probabilities),
        weight_prototype=both.weight_prototype,
        weight_direct=both.weight_direct,
        weight_prior=both.weight_prior,
        n_votes_prototype=cell_votes[cells.best],
        n_votes_direct=np.bincount(subject, minlength=n_subjects),
        n_workers=_n_workers(votes, cells),
        log_likelihood=fit.log_likelihood,
        n_iterations=fit.n_iterations,
        converged=fit.converged,
    )
