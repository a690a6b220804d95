"""Scores class probabilities against known classes.

Interval after Wilson (1927, JASA 22, 209); the Brier score in its original form, summed over
classes (Brier 1950, Monthly Weather Review 78, 1); expected calibration error of the most probable
class over bins of equal width (Naeini et al. 2015, AAAI).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError

__all__ = ["Interval", "ReliabilityBins", "Score", "score", "wilson_interval", "wilson_limits"]

FloatArray = NDArray[np.float64]

#: Probability at which a row counts as settled.
SURE = 0.9


@dataclass(frozen=True)
class Interval:
    """A share, and the limits between which the true one lies with the given confidence."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ReliabilityBins:
    """Calibration plot of the most probable class; one entry per bin, NaN where a bin is empty."""

    edges: FloatArray  # (n_bins + 1,)
    count: NDArray[np.int64]
    probability: FloatArray  # mean of what was claimed
    accuracy: FloatArray  # share that was right


@dataclass(frozen=True)
class Score:
    """How good probabilities (N, C) are.

    Attributes
    ----------
    accuracy : Interval
        Share of rows whose most probable class is the true one, 95 % confidence.
    brier : float
        Mean squared error summed over classes, from 0 (best) to 2.
    log_loss : float
        Mean negative natural logarithm of the true class's probability.
    calibration_error : float
        Mean of |accuracy - probability| over the bins, weighted by their rows.
    reliability : ReliabilityBins
        The calibration plot.
    purity, completeness : ndarray, float64, (C,)
        Share of rows labelled c that are c; share of rows that are c labelled so. NaN where none.
    coverage : float
        Share of rows with a probability of 0.9 or more.
    accuracy_covered : Interval
        Accuracy among those.
    """

    accuracy: Interval
    brier: float
    log_loss: float
    calibration_error: float
    reliability: ReliabilityBins
    purity: FloatArray
    completeness: FloatArray
    coverage: float
    accuracy_covered: Interval

    @property
    def f1(self) -> FloatArray:
        """Harmonic mean of purity and completeness (C,); NaN for what is not and nobody named."""
        purity, completeness = np.nan_to_num(self.purity), np.nan_to_num(self.completeness)
        total = purity + completeness
        mean = np.divide(
            2.0 * purity * completeness, total, out=np.zeros_like(total), where=total > 0.0
        )
        is_absent = np.isnan(self.purity) & np.isnan(self.completeness)
        f1: FloatArray = np.where(is_absent, np.nan, mean)
        return f1

    @property
    def macro_f1(self) -> float:
        """Mean of `f1` over the classes that are or were named: rare ones count like common."""
        return float(np.nanmean(self.f1))


def wilson_interval(n_right: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Estimate a share from `n_right` of `n` trials.

    Parameters
    ----------
    n_right, n : int
        Successes and trials; without trials the share is NaN and the interval the whole range.
    confidence : float, optional
        Between 0 and 1.

    Returns
    -------
    Interval
        Share and Wilson's limits.

    Raises
    ------
    InputError
        If the counts or the confidence make no sense.

    Examples
    --------
    >>> interval = wilson_interval(8, 10)
    >>> round(interval.low, 3), interval.value, round(interval.high, 3)
    (0.49, 0.8, 0.943)
    """
    if not 0 <= n_right <= n:
        raise InputError(f"n_right must lie between 0 and n = {n}, got {n_right}")
    share = n_right / n if n else float("nan")
    return Interval(share, *wilson_limits(share, n, confidence=confidence), n)


def wilson_limits(share: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Give Wilson's limits of a share known as well as from `n` trials.

    Parameters
    ----------
    share : float
        Estimate between 0 and 1; NaN for none.
    n : float
        Trials, not necessarily a whole number: where rows have weights or what is counted is
        uncertain, the number of plain trials that would tell as much.
    confidence : float, optional
        Between 0 and 1.

    Returns
    -------
    low, high : float
        The whole range if nothing is known.

    Raises
    ------
    InputError
        If the confidence makes no sense.

    Examples
    --------
    >>> [round(limit, 3) for limit in wilson_limits(0.8, 10)]
    [0.49, 0.943]
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence must lie between 0 and 1, got {confidence}")
    if not n > 0.0 or np.isnan(share):
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def _ratio(part: NDArray[np.int64] | FloatArray, whole: NDArray[np.int64]) -> FloatArray:
    ratio: FloatArray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio


def _reliability(claimed: FloatArray, right: NDArray[np.bool_], n_bins: int) -> ReliabilityBins:
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    place = np.clip(np.ceil(claimed * n_bins).astype(int) - 1, 0, n_bins - 1)
    count = np.bincount(place, minlength=n_bins)
    return ReliabilityBins(
        edges,
        count,
        _ratio(np.bincount(place, weights=claimed, minlength=n_bins), count),
        _ratio(np.bincount(place, weights=right, minlength=n_bins), count),
    )


def _checked(probabilities: ArrayLike, truth: ArrayLike) -> tuple[FloatArray, NDArray[np.int64]]:
    p, t = np.asarray(probabilities, dtype=float), np.asarray(truth)
    if p.ndim != 2 or not len(p):
        raise InputError(f"probabilities must have rows and columns, got shape {p.shape}")
    if t.shape != (len(p),) or t.dtype.kind not in "iu":
        raise InputError(f"truth must be {len(p)} integers, got {t.dtype} {t.shape}")
    if t.min() < 0 or t.max() >= p.shape[1]:
        raise InputError(f"truth must lie between 0 and {p.shape[1] - 1}")
    wrong = np.flatnonzero(~((p >= 0.0).all(axis=1) & (np.abs(p.sum(axis=1) - 1.0) < 1e-6)))
    if len(wrong):
        raise InputError(f"probabilities must be at least 0 and sum to 1, row {wrong[0]} does not")
    return p, t.astype(np.int64)


def score(probabilities: ArrayLike, truth: ArrayLike, *, n_bins: int = 10) -> Score:
    """Compare probabilities with the truth.

    Parameters
    ----------
    probabilities : array_like of float, (N, C)
        At least 0, each row sums to 1. For bare labels, pass rows of zeros with a one.
    truth : array_like of int, (N,)
        True classes.
    n_bins : int, optional
        Bins of the calibration plot.

    Returns
    -------
    Score
        All figures.

    Raises
    ------
    InputError
        If rows do not sum to 1, classes are out of range or lengths differ.

    Examples
    --------
    >>> result = score([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]], [0, 1, 1])
    >>> round(result.accuracy.value, 3), round(result.brier, 3), result.purity.tolist()
    (0.667, 0.307, [0.5, 1.0])
    """
    p, t = _checked(probabilities, truth)
    if n_bins < 1:
        raise InputError(f"n_bins must be at least 1, got {n_bins}")
    n_rows, n_classes = p.shape
    label, claimed = p.argmax(axis=1), p.max(axis=1)
    right = label == t
    true_probability = p[np.arange(n_rows), t]
    bins = _reliability(claimed, right, n_bins)
    gaps = np.abs(bins.accuracy - bins.probability)
    hits = np.bincount(t[right], minlength=n_classes)
    sure = claimed >= SURE
    return Score(
        accuracy=wilson_interval(int(right.sum()), n_rows),
        brier=float(np.mean((p**2).sum(axis=1) - 2.0 * true_probability + 1.0)),
        log_loss=float(-np.mean(np.log(np.maximum(true_probability, np.finfo(float).tiny)))),
        calibration_error=float(np.nansum(gaps * bins.count) / n_rows),
        reliability=bins,
        purity=_ratio(hits, np.bincount(label, minlength=n_classes)),
        completeness=_ratio(hits, np.bincount(t, minlength=n_classes)),
        coverage=float(sure.mean()),
        accuracy_covered=wilson_interval(int(right[sure].sum()), int(sure.sum())),
    )
