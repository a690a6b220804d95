"""The door of the room: votes, judgments, places on the map and features in, probabilities out.

A few rounds of three fits that teach each other: the vote model (`dawid_skene`) with what the
machine expects of each subject, the classes of prototypes carried to their members (`projection`),
and the head that corrects them with invariant features (`head`), taught by the votes. Then every
subject's evidence adds up (`evidence`).
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from skysort.consensus.dawid_skene import (
    DawidSkeneFit,
    Judgments,
    fit_dawid_skene,
    judgment_log_likelihood,
    vote_log_likelihood,
)
from skysort.consensus.evidence import SOURCES, Verdict, entropy_bits, weigh
from skysort.consensus.head import HeadChoice, HeadFit, HeadSettings, fit_head, softmax
from skysort.consensus.projection import (
    CellTable,
    familiarity,
    fit_trust,
    membership,
    project_cells,
)
from skysort.errors import InputError

__all__ = [
    "ITEM_KINDS",
    "MODEL",
    "CellTable",
    "GridTable",
    "MergeResult",
    "MergeSettings",
    "VoteTable",
    "merge",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Name and version of the model, for the record of a run.
MODEL = "dawid-skene-projection-head/3"
#: Kinds of items in the order of `MergeResult.worker_confusion`.
ITEM_KINDS = ("prototype", "subject")
PROTOTYPE, SUBJECT = range(2)
#: Rounds in which vote model and head teach each other; a fourth changed next to nothing.
N_ROUNDS = 3
#: Subjects less familiar than this, without a word of people, are told "unknown".
LEAST_FAMILIARITY = 0.1


@dataclass(frozen=True)
class GridTable:
    """Judgments of members of grids, one entry for each member shown and answer.

    Attributes
    ----------
    subject, worker : ndarray of int, (J,)
        Who was shown to whom.
    label : ndarray of int, (J,)
        Class that the grid named, among the classes of the votes; never the mixed one.
    ticked : ndarray of bool, (J,)
        Whether the volunteer ticked it: "is not that".
    """

    subject: IntArray
    worker: IntArray
    label: IntArray
    ticked: BoolArray

    @classmethod
    def empty(cls) -> "GridTable":
        """Give a table without judgments."""
        none = np.empty(0, dtype=np.int64)
        return cls(none, none, none, np.empty(0, dtype=bool))


@dataclass(frozen=True)
class VoteTable:
    """All votes that count, and what the items show.

    Attributes
    ----------
    item, worker, answer : ndarray of int, (V,)
        One vote per entry: index of the item, the volunteer and the answer.
    item_cell : ndarray of int, (I,)
        Prototype that an item shows; -1 if it shows a subject.
    item_subject : ndarray of int, (I,)
        Subject that an item shows; -1 if it shows a prototype. Votes on several items of the same
        subject count together.
    n_workers : int
        Number of volunteers, W.
    answers : list of str
        Keys of the A answers.
    classes : list of str
        Keys of the K classes, the mixed one among them if there is one.
    class_of_answer : ndarray of int, (A,)
        Class that each answer names; -1 for none ("cannot tell").
    grids : GridTable
        Judgments of members of grids; by default none.
    audit : ndarray of int, optional
        Subjects of the audit sample: judged, but never taught from. By default none.
    known : mapping of int to int
        Subjects whose class is known (gold), and the class.
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
    grids: GridTable = field(default_factory=GridTable.empty)
    audit: IntArray | None = None
    known: dict[int, int] = field(default_factory=dict)

    @property
    def n_items(self) -> int:
        """Number of items, I."""
        return len(self.item_cell)


@dataclass(frozen=True)
class MergeSettings:
    """What can be turned.

    The defaults are a compromise from trials on FIRST and synthetic images with simulated crowds.
    Volunteers are held closer to the crowd than in `vote_model`, where no machine takes part: with
    one or two votes a subject, a loose matrix and the head talk each other into errors. Nor is the
    correlation of votes learnt: where the machine is wrong, those who agree against it would look
    like an echo.

    Attributes
    ----------
    mixed_class : str
        Key of the class of prototypes whose members are not alike.
    worker_strength, crowd_strength, class_strength, correlation, transfer, max_iterations,
    tolerance
        See `dawid_skene.fit_dawid_skene`.
    trust_mean, trust_strength, half_distance, fuzziness
        See `projection.fit_trust` and `projection.membership`.
    n_rounds : int
        How often vote model and head teach each other.
    head : HeadSettings
        See `head.fit_head`.
    """

    mixed_class: str = "mixed"
    worker_strength: float = 15.0
    crowd_strength: float = 100.0
    class_strength: float = 10.0
    correlation: float | None = 0.0
    transfer: float = 0.25
    max_iterations: int = 100
    tolerance: float = 1e-4
    trust_mean: float = 0.85
    trust_strength: float = 10.0
    half_distance: float = 5.0
    fuzziness: float = 1.5
    n_rounds: int = N_ROUNDS
    head: HeadSettings = field(default_factory=HeadSettings)


@dataclass(frozen=True)
class MergeResult:
    """What a merge believes; N subjects, C subject classes (those of the table less the mixed one).

    Attributes
    ----------
    subject_classes : list of str
        Keys of the C classes, in the order of every subject probability.
    item_probabilities : ndarray, float64, (I, K)
        Class probabilities of items, sums to 1; for a subject all its evidence.
    item_entropy_bits : ndarray, float64, (I,)
        Shannon entropy of `item_probabilities`.
    cell_probabilities : ndarray, float64, (n_cells, K)
        The same for all prototypes; one without votes has the class prior of its kind.
    worker_agreement : ndarray, float64, (W,)
        Mean probability of naming the true class, over the items that the volunteer saw.
    fit : DawidSkeneFit
        Matrices of the vote model: confusion (2, W, K, A), kinds as in `ITEM_KINDS`, and those of
        judgments; its items are not those of the table.
    head : HeadFit
        What the machine says, and how it was chosen.
    class_prior : ndarray, float64, (C,)
        Class frequencies in the catalog.
    trust : float
        Learnt share of members in the midst of a prototype that have its class.
    machine_probabilities : ndarray, float64, (N, C)
        What prototypes and features say: without the votes and judgments on the subject itself.
        The audit compares this with the audit sample's own votes, so that it judges rows that
        nobody looked at.
    own_log_likelihood : ndarray, float64, (N, C)
        Log probability of the votes and judgments on the subject itself.
    subject_probabilities : ndarray, float64, (N, C)
        Both together; sums to 1.
    label : ndarray, int64, (N,)
        Index of the most probable class; the first of equals.
    is_unknown : ndarray of bool, (N,)
        No prototype resembles it and nobody has judged it: its label is a mere guess by frequency.
    entropy_bits : ndarray, float64, (N,)
        Shannon entropy of `subject_probabilities`.
    shares : ndarray, float64, (N, 5)
        Where the label comes from: see `evidence.SOURCES`. Sums to 1.
    n_votes_prototype, n_votes_grid, n_votes_direct : ndarray, int64, (N,)
        Votes on the subject's best prototype, judgments of it in grids, votes on the subject.
    n_workers : ndarray, int64, (N,)
        Different volunteers behind all three.
    log_likelihood : ndarray, float64, (n_iterations,)
        Trace of the last fit, natural logarithm.
    n_iterations : int
        Rounds of the last fit.
    converged : bool
        Whether it came to rest.
    """

    subject_classes: list[str]
    item_probabilities: FloatArray
    item_entropy_bits: FloatArray
    cell_probabilities: FloatArray
    worker_agreement: FloatArray
    fit: DawidSkeneFit = field(repr=False)
    head: HeadFit = field(repr=False)
    class_prior: FloatArray
    trust: float
    machine_probabilities: FloatArray
    own_log_likelihood: FloatArray
    subject_probabilities: FloatArray
    label: IntArray
    is_unknown: BoolArray
    entropy_bits: FloatArray
    shares: FloatArray
    n_votes_prototype: IntArray
    n_votes_grid: IntArray
    n_votes_direct: IntArray
    n_workers: IntArray
    log_likelihood: FloatArray = field(repr=False)
    n_iterations: int
    converged: bool


@dataclass(frozen=True)
class _Case:
    """The table in the order of the fit: all prototypes, then the subjects with evidence."""

    votes: VoteTable
    cells: CellTable
    mixed: int | None
    pure: list[int]
    subjects: IntArray  # (M,) with evidence or known, ascending
    item: IntArray  # (I,) the table's items among those of the fit
    teaches: BoolArray  # (M,) not of the audit sample
    known: IntArray  # (M,) class, or -1

    @property
    def n_cells(self) -> int:
        return self.cells.n_cells

    @property
    def n_fitted(self) -> int:
        return self.n_cells + len(self.subjects)


def _check(votes: VoteTable, cells: CellTable, features: NDArray[np.floating] | None) -> None:
    n_subjects = len(cells.best)
    for name, index, stop in (
        ("item_cell", votes.item_cell, cells.n_cells),
        ("item_subject", votes.item_subject, n_subjects),
    ):
        if index.shape != (votes.n_items,):
            raise InputError(f"{name} must have {votes.n_items} entries, got {index.shape}")
        _check_range(name, index, -1, stop)
    both = np.flatnonzero((votes.item_cell >= 0) == (votes.item_subject >= 0))
    if len(both):
        raise InputError(f"item {both[0]} must show either a prototype or a subject")
    _check_range("item", votes.item, 0, votes.n_items)
    _check_range("grids.subject", votes.grids.subject, 0, n_subjects)
    if votes.audit is not None:
        _check_range("audit", votes.audit, 0, n_subjects)
    known = np.array(list(votes.known), dtype=np.int64)
    _check_range("known", known, 0, n_subjects)
    if features is not None and (features.ndim != 2 or len(features) != n_subjects):
        raise InputError(f"features must have {n_subjects} rows, got shape {features.shape}")


def _check_range(name: str, index: NDArray[np.int64], low: int, stop: int) -> None:
    if index.dtype.kind not in "iu":
        raise InputError(f"{name} must be integers, got {index.dtype}")
    if index.size and not (index.min() >= low and index.max() < stop):
        raise InputError(f"{name} must lie between {low} and {stop - 1}")


def _case(votes: VoteTable, cells: CellTable, mixed_class: str) -> _Case:
    classes = votes.classes
    mixed = classes.index(mixed_class) if mixed_class in classes else None
    shown = votes.item_subject[votes.item_subject >= 0]
    touched = [shown, votes.grids.subject, np.array(list(votes.known), dtype=np.int64)]
    subjects = np.unique(np.concatenate(touched))
    place = cells.n_cells + np.searchsorted(subjects, votes.item_subject)
    known = np.array([votes.known.get(int(n), -1) for n in subjects], dtype=np.int64)
    return _Case(
        votes,
        cells,
        mixed,
        [k for k in range(len(classes)) if k != mixed],
        subjects,
        np.where(votes.item_cell >= 0, votes.item_cell, place),
        ~np.isin(subjects, [] if votes.audit is None else votes.audit),
        known,
    )


def _fit_votes(
    case: _Case, machine: FloatArray | None, start: DawidSkeneFit | None, settings: MergeSettings
) -> DawidSkeneFit:
    """Fit the vote model, with what the machine (N, C) expects of each subject if it is known."""
    votes, n_classes = case.votes, len(case.votes.classes)
    allowed = np.ones((len(ITEM_KINDS), n_classes), dtype=bool)
    if case.mixed is not None:
        allowed[SUBJECT, case.mixed] = False
    expected = np.full((case.n_fitted, n_classes), np.nan)
    if machine is not None:
        expected[case.n_cells :] = 0.0
        expected[case.n_cells :, case.pure] = machine[case.subjects]
    is_cell = np.arange(case.n_fitted) < case.n_cells
    return fit_dawid_skene(
        case.item[votes.item],
        votes.worker,
        votes.answer,
        n_items=case.n_fitted,
        n_workers=votes.n_workers,
        n_classes=n_classes,
        n_answers=len(votes.answers),
        class_of_answer=votes.class_of_answer,
        item_group=np.where(is_cell, PROTOTYPE, SUBJECT),
        allowed=allowed,
        item_mask=np.concatenate([np.ones(case.n_cells, dtype=bool), case.teaches]),
        item_prior=expected,
        known=np.concatenate([np.full(case.n_cells, -1), case.known]),
        judgments=_judgments(case),
        start=start,
        correlation=settings.correlation,
        worker_strength=settings.worker_strength,
        crowd_strength=settings.crowd_strength,
        class_strength=settings.class_strength,
        transfer=settings.transfer,
        max_iterations=settings.max_iterations,
        tolerance=settings.tolerance,
    )


def _judgments(case: _Case) -> Judgments:
    grids = case.votes.grids
    item = case.n_cells + np.searchsorted(case.subjects, grids.subject)
    return Judgments(item, grids.worker, grids.label, grids.ticked)


def _own_evidence(case: _Case, fit: DawidSkeneFit) -> tuple[FloatArray, FloatArray]:
    """Log likelihood (M, C) of direct votes and of judgments, for the subjects with evidence."""
    votes, m = case.votes, len(case.subjects)
    item = case.item[votes.item]
    is_direct = item >= case.n_cells
    direct = vote_log_likelihood(
        fit,
        item[is_direct] - case.n_cells,
        votes.worker[is_direct],
        votes.answer[is_direct],
        n=m,
        group=SUBJECT,
    )
    judged = _judgments(case)
    grids = judgment_log_likelihood(
        fit, replace(judged, item=np.asarray(judged.item) - case.n_cells), n=m
    )
    return direct[:, case.pure], grids[:, case.pure]


def _class_prior(
    case: _Case, fit: DawidSkeneFit, known: BoolArray, settings: MergeSettings
) -> FloatArray:
    """Class frequencies (C,) of the members of prototypes with votes, flattened if they are few."""
    hits = np.bincount(case.cells.best, minlength=case.n_cells) * known
    counts = hits @ fit.item_probabilities[: case.n_cells, case.pure]
    if known.any():
        counts *= known.sum() / hits.sum().clip(1)
    counts += settings.class_strength / len(case.pure)
    share: FloatArray = counts / counts.sum()
    return share


def _project(
    case: _Case, fit: DawidSkeneFit, own: FloatArray, settings: MergeSettings
) -> tuple[FloatArray, float, FloatArray]:
    """Class frequencies (C,), the learnt trust and what prototypes say of the subjects (N, C)."""
    item = case.item[case.votes.item]
    known = np.bincount(item[item < case.n_cells], minlength=case.n_cells) > 0
    prior = _class_prior(case, fit, known, settings)
    cell_probabilities = fit.item_probabilities[: case.n_cells]
    spread = np.zeros((len(case.cells.best), len(case.pure)))
    spread[case.subjects[case.teaches]] = own[case.teaches]
    trust = fit_trust(
        cell_probabilities,
        case.cells,
        spread,
        class_prior=prior,
        mixed_class=case.mixed,
        cell_is_known=known,
        mean=settings.trust_mean,
        strength=settings.trust_strength,
        half_distance=settings.half_distance,
        fuzziness=settings.fuzziness,
    )
    projected = project_cells(
        cell_probabilities,
        case.cells,
        membership(
            case.cells,
            trust=trust,
            half_distance=settings.half_distance,
            fuzziness=settings.fuzziness,
        ),
        class_prior=prior,
        mixed_class=case.mixed,
        cell_is_known=known,
    )
    return prior, trust, projected


def _machine(
    case: _Case,
    features: NDArray[np.floating] | None,
    projected: FloatArray,
    prior: FloatArray,
    own: FloatArray,
    settings: MergeSettings,
    choice: HeadChoice | None,
    hint: HeadChoice | None,
) -> HeadFit:
    """Correct what prototypes say by what features say, as far as subjects are familiar."""
    inputs = np.zeros((len(projected), 0)) if features is None else features
    nearby = familiarity(case.cells, half_distance=settings.half_distance)
    has_own = case.teaches & ((own != own[:, :1]).any(axis=1) | (case.known >= 0))
    has_own &= nearby[case.subjects] >= 0.5  # the strange ones teach nothing of the others
    evidence = own.copy()
    is_known = np.flatnonzero(case.known >= 0)
    evidence[is_known] = -np.inf
    evidence[is_known, [case.pure.index(k) for k in case.known[is_known]]] = 0.0
    tiny = np.finfo(float).tiny  # a class that all prototypes rule out
    head = fit_head(
        inputs,
        np.maximum(projected, tiny),
        prior,
        case.subjects[has_own],
        evidence[has_own],
        settings=settings.head,
        choice=choice,
        hint=hint,
    )
    corrected = head.head_logits * nearby[:, None]
    total = np.log(prior) + head.cell_logits + corrected
    return replace(head, head_logits=corrected, probabilities=softmax(total))


def _verdict(case: _Case, head: HeadFit, prior: FloatArray, own: FloatArray) -> Verdict:
    """Add up all sources; `own` is (2, M, C): judgments and direct votes."""
    logits = np.zeros((len(SOURCES), *head.cell_logits.shape))
    logits[SOURCES.index("prior")] = np.log(prior)
    logits[SOURCES.index("prototype")] = head.cell_logits
    logits[SOURCES.index("head")] = head.head_logits
    for name, said in zip(("grid", "direct"), own, strict=True):
        logits[SOURCES.index(name), case.subjects] = said
    is_known = case.known >= 0
    truth = np.eye(len(case.votes.classes))[case.known[is_known]][:, case.pure]
    logits[SOURCES.index("direct"), case.subjects[is_known]] += CERTAIN * truth
    return weigh(logits)


#: Logit of a class that is known.
CERTAIN = 50.0


def _agreement(case: _Case, fit: DawidSkeneFit) -> FloatArray:
    """Mean chance (W,) that a volunteer names the true class of an item of theirs."""
    votes = case.votes
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


def _n_workers(case: _Case) -> IntArray:
    """Count different volunteers (N,) behind each subject: on its best prototype or on itself."""
    votes, cells, n_workers = case.votes, case.cells, case.votes.n_workers
    cell, subject = votes.item_cell[votes.item], votes.item_subject[votes.item]
    on_cell = np.unique(cell[cell >= 0] * n_workers + votes.worker[cell >= 0])
    own = np.concatenate(
        [
            subject[subject >= 0] * n_workers + votes.worker[subject >= 0],
            votes.grids.subject * n_workers + votes.grids.worker,
        ]
    )
    on_subject = np.unique(own)
    by_cell = np.bincount(on_cell // n_workers, minlength=cells.n_cells)
    subjects, workers = on_subject // n_workers, on_subject % n_workers
    is_new = ~np.isin(cells.best[subjects] * n_workers + workers, on_cell)
    fresh = np.bincount(subjects[is_new], minlength=len(cells.best))
    return by_cell[cells.best] + fresh


def _items(case: _Case, fit: DawidSkeneFit, subjects: FloatArray) -> FloatArray:
    """Class probabilities (I, K) of the table's items."""
    probabilities = fit.item_probabilities[case.item].copy()
    shows = np.flatnonzero(case.votes.item_subject >= 0)
    probabilities[shows] = 0.0
    probabilities[np.ix_(shows, np.array(case.pure))] = subjects[case.votes.item_subject[shows]]
    return probabilities


def merge(
    votes: VoteTable,
    cells: CellTable,
    settings: MergeSettings | None = None,
    *,
    features: NDArray[np.floating] | None = None,
    start: MergeResult | None = None,
) -> MergeResult:
    """Turn votes on items and places on the map into a class distribution of every subject.

    Parameters
    ----------
    votes : VoteTable
        Votes on prototypes and on subjects, judgments of members; may be empty.
    cells : CellTable
        Every subject's place on the map.
    settings : MergeSettings, optional
        By default the defaults.
    features : ndarray of float, (N, d), optional
        Invariant features of the subjects (see `kernel_map`); without them prototypes speak alone.
    start : MergeResult, optional
        An earlier merge of fewer votes, for the first guess; volunteers and items that have come
        since have the last numbers.

    Returns
    -------
    MergeResult
        Probabilities of items and subjects, confusion matrices and where each label comes from.

    Raises
    ------
    InputError
        If an index is out of range, an item shows both a prototype and a subject, or features have
        another number of rows.

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
    _check(votes, cells, features)
    case = _case(votes, cells, chosen.mixed_class)
    fit = None if start is None else start.fit
    machine = None if start is None else start.machine_probabilities
    choice, hint = None, None if start is None else start.head.choice
    for _ in range(chosen.n_rounds):
        fit = _fit_votes(case, machine, fit, chosen)
        own = _own_evidence(case, fit)
        both = own[0] + own[1]
        prior, trust, projected = _project(case, fit, both, chosen)
        head = _machine(case, features, projected, prior, both, chosen, choice, hint)
        choice = head.choice
        machine = head.probabilities
    assert fit is not None  # there is a round at least
    assert machine is not None
    verdict = _verdict(case, head, prior, np.stack(own[::-1]))
    subject = votes.item_subject[votes.item]
    item_probabilities = _items(case, fit, verdict.probabilities)
    cell = votes.item_cell[votes.item]
    n_subjects = len(cells.best)
    n_grid = np.bincount(votes.grids.subject, minlength=n_subjects)
    n_direct = np.bincount(subject[subject >= 0], minlength=n_subjects)
    is_far = familiarity(cells, half_distance=chosen.half_distance) < LEAST_FAMILIARITY
    is_untouched = n_grid + n_direct == 0
    is_untouched[list(votes.known)] = False
    return MergeResult(
        subject_classes=[votes.classes[k] for k in case.pure],
        item_probabilities=item_probabilities,
        item_entropy_bits=entropy_bits(item_probabilities),
        cell_probabilities=fit.item_probabilities[: cells.n_cells],
        worker_agreement=_agreement(case, fit),
        fit=fit,
        head=head,
        class_prior=prior,
        trust=trust,
        machine_probabilities=machine,
        own_log_likelihood=_spread(case, both),
        subject_probabilities=verdict.probabilities,
        label=verdict.label,
        is_unknown=is_far & is_untouched,
        entropy_bits=entropy_bits(verdict.probabilities),
        shares=verdict.shares,
        n_votes_prototype=np.bincount(cell[cell >= 0], minlength=cells.n_cells)[cells.best],
        n_votes_grid=n_grid,
        n_votes_direct=n_direct,
        n_workers=_n_workers(case),
        log_likelihood=fit.log_likelihood,
        n_iterations=fit.n_iterations,
        converged=fit.converged,
    )


def _spread(case: _Case, own: FloatArray) -> FloatArray:
    everywhere = np.zeros((len(case.cells.best), own.shape[1]))
    everywhere[case.subjects] = own
    return everywhere
