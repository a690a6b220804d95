"""Honest figures of a catalog, from the votes on its audit sample.

What is true is never known: a subject of the audit has a few votes, and volunteers err. Counting
the majority as truth makes any catalog look bad (three votes of skill 0.75 are wrong together one
time in six). So every figure is a parameter of the likelihood of the votes. Among the rows that
the catalog labels l, a share ``pi[l, c]`` truly is c, and votes are as probable as the mixture
``sum_c pi[l, c] L_i(c)`` with ``L_i(c)`` by the volunteers' confusion matrices. Its maximum, by
expectation and maximization (Dempster, Laird & Rubin 1977), is consistent whatever the machine
claims: purity of l is ``pi[l, l]``, and accuracy and completeness follow from the shares of labels.
Shares of other groups (a bin of claimed probability) are found alike, with ``pi`` for what a wrong
row is instead.

Every sum is weighted by the inverse probability of being drawn (Horvitz & Thompson 1952). Limits
are Wilson's (1927) for as many plain trials as would tell as much. That number is taken from a
bootstrap over rows (Efron 1979), which sees uneven weights and the noise of votes, and, where all
rows look right and the bootstrap sees no spread at all, from the information in the mixture (Louis
1982). The vote model is taken for granted: what is wrong with the confusion matrices is not within
the limits.

The expected calibration error of a small sample is too large, since noise in each bin counts as
error (Kumar et al. 2019, NeurIPS). So beside the plain number stand what chance alone would make
of an honest machine, a corrected number without that bias for honest machines, and limits of the
true one by inverting a parametric bootstrap test.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.consensus.accuracy import SURE, wilson_limits
from skysort.consensus.calibration import AuditRows
from skysort.errors import InputError

__all__ = ["AuditReport", "CalibrationError", "Estimate", "ReliabilityBin", "audit_report"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Rounds of expectation and maximization at most, and the change at which they end.
N_ROUNDS = 300
TOLERANCE = 1e-4
#: Rows that the machine's own guess of what wrong rows are counts as, for each label.
GUESS_ROWS = 1.0
#: Most bins of the calibration plot, and the rows with votes that each should have.
MOST_BINS = 10
ROWS_OF_BIN = 40
#: Numbers (bootstraps times rows) that are handled at a time.
BLOCK = 1_000_000
#: Draws and steps by which limits of the calibration error are found.
N_DRAWS = 2000
ERROR_STEPS = np.linspace(0.0, 4.0, 161)
#: Smallest likelihood that is divided by, and the largest odds.
TINY = float(np.finfo(float).tiny)
MOST_ODDS = 1e100


@dataclass(frozen=True)
class Estimate:
    """A share of the catalog, with limits.

    Attributes
    ----------
    value : float
        Maximum of the likelihood; NaN without rows.
    low, high : float
        Limits of the true share; 0 and 1 if nothing is known.
    n_rows : int
        Audit subjects behind it.
    n_effective : float
        Subjects of known class that would tell as much.
    """

    value: float
    low: float
    high: float
    n_rows: int
    n_effective: float


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of the calibration plot: rows whose label has about the same probability.

    Attributes
    ----------
    low, high : float
        Smallest and largest probability in it.
    share : float
        Share of the catalog's rows.
    probability : float
        Mean of what was claimed.
    accuracy : Estimate
        Share that is right.
    """

    low: float
    high: float
    share: float
    probability: float
    accuracy: Estimate


@dataclass(frozen=True)
class CalibrationError:
    """Mean distance of claimed probability and accuracy over the bins, weighted by their rows.

    Attributes
    ----------
    value : float
        As it comes from the sample; too large, the more so the smaller the sample.
    by_chance : float
        What an honest machine would get in a sample like this.
    corrected : float
        Without the bias, if the machine is honest or far from it; a little too small between.
    low, high : float
        Limits of the true error in these bins; `low` is 0 where an honest machine is possible.
    """

    value: float
    by_chance: float
    corrected: float
    low: float
    high: float


@dataclass(frozen=True)
class AuditReport:
    """What the audit sample tells of the catalog.

    Attributes
    ----------
    n_rows : int
        Audit subjects, M.
    n_informative : int
        Those whose votes tell anything; all figures but the coverage are of them.
    confidence : float
        Of all limits.
    accuracy : Estimate
        Share of rows with the right label.
    purity, completeness : tuple of Estimate, (C,)
        Share of rows labelled c that are c; share of rows that are c labelled so.
    coverage : Estimate
        Share of rows with a probability of 0.9 or more.
    accuracy_covered : Estimate
        Accuracy among those.
    calibration_error : CalibrationError
        Of the label's probability.
    reliability : tuple of ReliabilityBin
        The calibration plot, lowest probability first; bins of about equal weight.
    """

    n_rows: int
    n_informative: int
    confidence: float
    accuracy: Estimate
    purity: tuple[Estimate, ...]
    completeness: tuple[Estimate, ...]
    coverage: Estimate
    accuracy_covered: Estimate
    calibration_error: CalibrationError
    reliability: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON can hold; None for what is not known."""
        record: dict[str, Any] = _without_nan(asdict(self))
        return record


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and np.isnan(value) else value


@dataclass(frozen=True)
class _Sample:
    """The audit sample and how it falls into labels and bins."""

    rows: AuditRows
    label: IntArray  # (M,)
    claimed: FloatArray  # (M,)
    bin: IntArray  # (M,)
    n_bins: int
    guess: FloatArray  # (C, C) what wrong rows of a label are by the machine, sums to 1, 0 at l = c

    @property
    def n_classes(self) -> int:
        return int(self.rows.probabilities.shape[1])

    @property
    def groups(self) -> IntArray:
        """Membership (M, n_bins + 1): the bins, then the rows that are sure."""
        return np.column_stack(
            [self.bin[:, None] == np.arange(self.n_bins), self.claimed >= SURE]
        ).astype(np.int64)


@dataclass(frozen=True)
class _Figures:
    """Every figure under each of B sets of weights; NaN where a set has no rows."""

    accuracy: FloatArray  # (B,)
    purity: FloatArray  # (B, C)
    completeness: FloatArray  # (B, C)
    group_accuracy: FloatArray  # (B, G)
    group_probability: FloatArray  # (B, G)
    odds: FloatArray  # (B, M) likelihood of the votes if the label is wrong, over if it is right
    classes: FloatArray  # (B, M, C) posterior probability of each class


def _sample(rows: AuditRows, n_bins: int | None) -> _Sample:
    p, w = rows.probabilities, rows.weights
    label, claimed = p.argmax(axis=1), p.max(axis=1)
    wanted = n_bins or min(MOST_BINS, max(1, int(rows.is_informative.sum()) // ROWS_OF_BIN))
    place = _bins(claimed, w, wanted)
    n_classes = p.shape[1]
    guess = np.stack([w[label == c] @ p[label == c] for c in range(n_classes)])
    guess += 1e-3 * w.sum() / n_classes  # labels that never come, classes that never are
    np.fill_diagonal(guess, 0.0)
    guess /= np.maximum(guess.sum(axis=1, keepdims=True), TINY)
    return _Sample(rows, label, claimed, place, int(place.max()) + 1, guess)


def _bins(claimed: FloatArray, weights: FloatArray, n_bins: int) -> IntArray:
    """Bin (M,) of each row: about equal weights, equal probabilities never parted."""
    index = np.unique(claimed, return_inverse=True)[1]
    weight = np.bincount(index, weights)
    middle = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    place = np.minimum((middle * n_bins).astype(int), n_bins - 1)
    return np.unique(place, return_inverse=True)[1][index]


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    ratio: FloatArray = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0.0)
    return ratio


def _true_classes(
    likelihood: FloatArray, weights: FloatArray, label: int, guess: FloatArray
) -> FloatArray:
    """Shares (B, C) of the classes among the rows (n, C) of one label, under weights (B, n)."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), TINY)
    shares = np.broadcast_to(0.2 * guess, (len(weights), len(guess))).copy()
    shares[:, label] = 0.8
    for _ in range(N_ROUNDS):
        mean = np.maximum(shares @ likelihood.T, TINY)  # (B, n)
        new = shares * ((weights / mean) @ likelihood) / total
        right = new[:, label].copy()
        new[:, label] = 0.0
        new = (new * total + GUESS_ROWS * guess) / ((1.0 - right)[:, None] * total + GUESS_ROWS)
        new *= (1.0 - right)[:, None]
        new[:, label] = right
        change = np.abs(new - shares).max(initial=0.0)
        shares = new
        if change < TOLERANCE:
            break
    return shares


def _odds(likelihood: FloatArray, shares: FloatArray, label: int, guess: FloatArray) -> FloatArray:
    """Likelihood (B, n) of votes if the label is wrong, over that if it is right."""
    wrong = shares.copy()
    wrong[:, label] = 0.0
    # Where all rows are right, the guess tells what they might be instead.
    wrong = np.where(wrong.sum(axis=1, keepdims=True) > 1e-9, wrong, guess)
    wrong /= np.maximum(wrong.sum(axis=1, keepdims=True), TINY)
    in_favor = np.maximum(likelihood[:, label], 1.0 / MOST_ODDS)
    odds: FloatArray = (wrong @ likelihood.T) / in_favor
    return odds


def _group_accuracy(odds: FloatArray, weights: FloatArray, groups: IntArray) -> FloatArray:
    """Share (B, G) of right rows in each group, for odds (B, M) of the votes if wrong."""
    whole = weights @ groups
    share = np.full(whole.shape, 0.8)
    for _ in range(N_ROUNDS):
        new = np.empty_like(share)
        for g in range(groups.shape[1]):
            inside = groups[:, g] == 1
            a = share[:, [g]]
            right = a / np.maximum(a + (1.0 - a) * odds[:, inside], TINY)
            new[:, g] = (weights[:, inside] * right).sum(axis=1) / np.maximum(whole[:, g], TINY)
        change = np.abs(new - share).max(initial=0.0)
        share = new
        if change < TOLERANCE:
            break
    return np.where(whole > 0.0, share, np.nan)


def _figures(sample: _Sample, weights: FloatArray) -> _Figures:
    """Estimate everything under weights (B, M)."""
    likelihood, n_classes = sample.rows.likelihood, sample.n_classes
    classes = np.zeros((*weights.shape, n_classes))
    odds = np.ones(weights.shape)
    for c in range(n_classes):
        inside = np.flatnonzero(sample.label == c)
        shares = _true_classes(likelihood[inside], weights[:, inside], c, sample.guess[c])
        posterior = shares[:, None, :] * likelihood[inside]
        classes[:, inside] = posterior / np.maximum(posterior.sum(axis=2, keepdims=True), TINY)
        odds[:, inside] = _odds(likelihood[inside], shares, c, sample.guess[c])
    rows = np.arange(weights.shape[1])
    right = classes[:, rows, sample.label]
    labels = np.eye(n_classes)[sample.label]
    hits = (weights * right) @ labels
    groups = sample.groups
    return _Figures(
        accuracy=_ratio((weights * right).sum(axis=1), weights.sum(axis=1)),
        purity=_ratio(hits, weights @ labels),
        completeness=_ratio(hits, np.einsum("bm,bmc->bc", weights, classes)),
        group_accuracy=_group_accuracy(odds, weights, groups),
        group_probability=_ratio((weights * sample.claimed) @ groups, weights @ groups),
        odds=odds,
        classes=classes,
    )


def _kish(weights: FloatArray) -> float:
    """Rows of equal weight that would tell as much (Kish 1965)."""
    return float(weights.sum() ** 2 / max((weights**2).sum(), TINY))


def _information(share: FloatArray | float, odds: FloatArray) -> FloatArray:
    """Compare what votes tell of a share, by row, with what truth would: at most 1 (Louis 1982)."""
    information: FloatArray = 1.0 - odds / (share + (1.0 - share) * odds) ** 2
    return information


def _estimate(
    value: float,
    variance: float,
    weights: FloatArray,
    information: FloatArray,
    n_rows: int,
    confidence: float,
) -> Estimate:
    """Join the bootstrap's variance and the mixture's information, as one row's worth of doubt."""
    if np.isnan(value):
        return Estimate(value, 0.0, 1.0, n_rows, 0.0)
    told = float(np.clip(weights @ information / weights.sum(), 0.0, 1.0))
    n_model = _kish(weights) * told
    if n_model <= 0.0:
        return Estimate(value, 0.0, 1.0, n_rows, 0.0)
    doubt = 1.0 / n_model
    n_effective = (value * (1.0 - value) + doubt) / (variance + doubt / n_model)
    n_effective = min(n_effective, float(n_rows))
    low, high = wilson_limits(value, n_effective, confidence=confidence)
    return Estimate(value, low, high, n_rows, n_effective)


def _variance(replicates: FloatArray) -> FloatArray:
    """Variance of each column (B, ...), over the replicates that have a value."""
    there = ~np.isnan(replicates)
    n = np.maximum(there.sum(axis=0), 1)
    known = np.where(there, replicates, 0.0)
    mean = known.sum(axis=0) / n
    variance: FloatArray = (np.where(there, known - mean, 0.0) ** 2).sum(axis=0) / n
    return variance


def _bootstrap(sample: _Sample, n_bootstrap: int, seed: int) -> dict[str, FloatArray]:
    """Variances of the figures over samples of rows drawn with replacement."""
    rng = np.random.default_rng(seed)
    n_rows = len(sample.label)
    step = max(1, BLOCK // (n_rows * sample.n_classes))
    parts: dict[str, list[FloatArray]] = {}
    for first in range(0, n_bootstrap, step):
        n = min(step, n_bootstrap - first)
        counts = rng.multinomial(n_rows, np.full(n_rows, 1.0 / n_rows), size=n)
        drawn = _figures(sample, counts * sample.rows.weights)
        for name, value in (
            ("accuracy", drawn.accuracy),
            ("purity", drawn.purity),
            ("completeness", drawn.completeness),
            ("group_accuracy", drawn.group_accuracy),
        ):
            parts.setdefault(name, []).append(value)
    return {name: _variance(np.concatenate(values)) for name, values in parts.items()}


def _shares_of_classes(
    sample: _Sample, found: _Figures, variance: dict[str, FloatArray], confidence: float
) -> tuple[Estimate, tuple[Estimate, ...], tuple[Estimate, ...]]:
    """Give accuracy, purity and completeness."""
    weights, label = sample.rows.weights, sample.label
    purity = found.purity[0]
    told = _information(purity[label], found.odds[0])
    accuracy = _estimate(
        float(found.accuracy[0]), float(variance["accuracy"]), weights, told, len(label), confidence
    )
    pure, complete = [], []
    for c in range(sample.n_classes):
        inside = label == c
        belongs = found.classes[0, :, c]
        pure.append(
            _estimate(
                float(purity[c]),
                float(variance["purity"][c]),
                weights[inside],
                told[inside],
                int(inside.sum()),
                confidence,
            )
        )
        complete.append(
            _estimate(
                float(found.completeness[0, c]),
                float(variance["completeness"][c]),
                weights * belongs,
                told,
                int(np.ceil(belongs.sum())),
                confidence,
            )
        )
    return accuracy, tuple(pure), tuple(complete)


def _shares_of_groups(
    sample: _Sample, found: _Figures, variance: dict[str, FloatArray], confidence: float
) -> list[Estimate]:
    """Give the accuracy of each bin and of the sure rows."""
    estimates = []
    for g, inside in enumerate(sample.groups.T == 1):
        share = float(found.group_accuracy[0, g])
        estimates.append(
            _estimate(
                share,
                float(variance["group_accuracy"][g]),
                sample.rows.weights[inside],
                _information(share, found.odds[0, inside]),
                int(inside.sum()),
                confidence,
            )
        )
    return estimates


def _reliability(
    sample: _Sample, found: _Figures, accuracy: Sequence[Estimate]
) -> tuple[ReliabilityBin, ...]:
    weights, claimed = sample.rows.weights, sample.claimed
    bins = []
    for b in range(sample.n_bins):
        inside = sample.bin == b
        bins.append(
            ReliabilityBin(
                low=float(claimed[inside].min()),
                high=float(claimed[inside].max()),
                share=float(weights[inside].sum() / weights.sum()),
                probability=float(found.group_probability[0, b]),
                accuracy=accuracy[b],
            )
        )
    return tuple(bins)


def _noise(place: ReliabilityBin, z: float) -> float:
    """Give the standard deviation of a bin's accuracy: the larger one of as found, as claimed.

    The width of the limits is the least, since a bin that looks right throughout may be lucky.
    """
    found = place.accuracy
    trials = max(found.n_effective, 1.0)
    by_limits = (found.high - found.low) / (2.0 * z)
    plain = [(p * (1.0 - p) / trials) ** 0.5 for p in (found.value, place.probability)]
    return float(max(by_limits, *plain))


def _calibration_error(
    bins: tuple[ReliabilityBin, ...], confidence: float, seed: int
) -> CalibrationError:
    """Compare claimed and found, bin by bin, with normal noise.

    The corrected number is the mean over all ways to part the sample in halves, of which one says
    on which side of the claim a bin lies and the other how far: with noise s and a gap of z s it is
    ``s (z (2 Phi(z) - 1) - 2 phi(z))``. The limits are those multiples of the gaps found (none of
    them less than chance makes) under which the number found is no surprise.
    """
    normal = NormalDist()
    share = np.array([b.share for b in bins])
    gap = np.array([b.accuracy.value - b.probability for b in bins])
    noise = np.array([_noise(b, normal.inv_cdf(0.5 + confidence / 2.0)) for b in bins])
    z = gap / noise
    above = np.array([2.0 * normal.cdf(x) - 1.0 for x in z])
    density = np.array([2.0 * normal.pdf(x) for x in z])
    value = float(share @ np.abs(gap))
    chance = (2.0 / np.pi) ** 0.5 * noise
    usual = np.maximum(np.abs(gap), chance)
    draws = np.random.default_rng(seed).normal(size=(N_DRAWS, len(bins))) * noise
    tail = 0.5 - confidence / 2.0
    limits = [
        np.quantile(np.abs(t * usual + draws) @ share, [tail, 1.0 - tail]) for t in ERROR_STEPS
    ]
    possible = ERROR_STEPS[[bool(low <= value <= high) for low, high in limits]]
    ends = (possible[0], possible[-1]) if len(possible) else (0.0, 1.0)
    low, high = np.clip(np.array(ends) * float(share @ usual), 0.0, 1.0)
    return CalibrationError(
        value=value,
        by_chance=float(share @ chance),
        corrected=max(0.0, float(share @ (noise * (z * above - density)))),
        low=float(low),
        high=float(high),
    )


def audit_report(
    probabilities: ArrayLike,
    log_likelihood: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    n_bins: int | None = None,
    n_bootstrap: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> AuditReport:
    """Tell how good the catalog is, by the votes on its audit sample.

    It speaks of the machine's part: of rows without votes of their own. For a calibrated catalog
    pass `calibration.calibrate_held_out`, since a map looks too good on the sample that made it.

    Parameters
    ----------
    probabilities : array_like of float, (M, C)
        What the machine says of the audit sample, without its votes; each row sums to 1.
    log_likelihood : array_like of float, (M, C)
        Log probability of each subject's votes under each class, natural logarithm, up to a
        constant in each row; equal numbers where there are no votes.
    weights : array_like of float, (M,), optional
        Inverse probabilities of being drawn, above 0; by default all equal.
    n_bins : int, optional
        Bins of the calibration plot; by default one for every 40 subjects with votes, at most 10.
    n_bootstrap : int, optional
        Samples of rows for the limits.
    confidence : float, optional
        Of all limits, between 0 and 1.
    seed : int, optional
        Of all chance.

    Returns
    -------
    AuditReport
        Shares are NaN and limits 0 and 1 where nothing is known.

    Raises
    ------
    InputError
        If there are no rows, or arguments make no sense.

    Examples
    --------
    Twenty rows, seventeen of them right, and people who never err:

    >>> import numpy as np
    >>> said = np.tile([0.9, 0.1], (20, 1))
    >>> sure = np.where(np.arange(20)[:, None] < 17, [0.0, -np.inf], [-np.inf, 0.0])
    >>> accuracy = audit_report(said, sure).accuracy
    >>> round(accuracy.value, 2), round(accuracy.low, 1), round(accuracy.high, 1)
    (0.85, 0.6, 0.9)
    """
    rows = AuditRows.checked(probabilities, log_likelihood, weights)
    if not len(rows.weights):
        raise InputError("an audit needs at least one row")
    if n_bins is not None and n_bins < 1:
        raise InputError(f"n_bins must be at least 1, got {n_bins}")
    if n_bootstrap < 2:
        raise InputError(f"n_bootstrap must be at least 2, got {n_bootstrap}")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence must lie between 0 and 1, got {confidence}")
    coverage = _coverage(rows, confidence)
    voted = rows.take(rows.is_informative)
    if not len(voted.weights):
        return _unknown(rows, coverage, confidence)
    sample = _sample(voted, n_bins)
    found = _figures(sample, voted.weights[None, :])
    variance = _bootstrap(sample, n_bootstrap, seed)
    accuracy, purity, completeness = _shares_of_classes(sample, found, variance, confidence)
    *in_bins, covered = _shares_of_groups(sample, found, variance, confidence)
    bins = _reliability(sample, found, in_bins)
    return AuditReport(
        n_rows=len(rows.weights),
        n_informative=len(voted.weights),
        confidence=confidence,
        accuracy=accuracy,
        purity=purity,
        completeness=completeness,
        coverage=coverage,
        accuracy_covered=covered,
        calibration_error=_calibration_error(bins, confidence, seed),
        reliability=bins,
    )


def _coverage(rows: AuditRows, confidence: float) -> Estimate:
    is_sure = rows.probabilities.max(axis=1) >= SURE
    share, n = float(rows.weights @ is_sure / rows.weights.sum()), _kish(rows.weights)
    low, high = wilson_limits(share, n, confidence=confidence)
    return Estimate(share, low, high, len(is_sure), n)


def _unknown(rows: AuditRows, coverage: Estimate, confidence: float) -> AuditReport:
    """Give the report of an audit without votes."""
    nothing = Estimate(float("nan"), 0.0, 1.0, 0, 0.0)
    classes = (nothing,) * rows.probabilities.shape[1]
    unknown = float("nan")
    error = CalibrationError(unknown, unknown, unknown, 0.0, 1.0)
    n_rows = len(rows.weights)
    return AuditReport(
        n_rows, 0, confidence, nothing, classes, classes, coverage, nothing, error, ()
    )
