"""Makes the machine's probabilities honest by what people say of the audit sample.

The audit sample is drawn at random and teaches nothing, so what the machine says of it is as good
or bad as what it says of any row that nobody looked at. Its votes are no truth: each subject has
but a few, and volunteers err. So no majority is taken; a map of probabilities is as good as the
votes are likely under it, ``sum_i log sum_c p_i(c) L_i(c)``, where ``L_i(c)`` is the probability of
the votes on subject i if it is c, by the volunteers' confusion matrices.

Two maps are tried beside none at all: one temperature for all classes (Guo et al. 2017, ICML),
shrunk to 1 where the sample is small, and isotonic regression of one class against the rest,
normalized (Zadrozny & Elkan 2002, KDD), here with one curve for all classes and fitted by
expectation and maximization, since truth is hidden. A map is taken only if it predicts the votes
of subjects left out of its fit better than a simpler one by a margin: half a standard error for
the temperature, a whole one for the curve (the rule of Breiman et al. 1984). All maps keep the
order of classes: they change how sure a label is, never the label.

It is the machine's part that is calibrated. Where a row has votes of its own, they are added
afterwards: its probabilities are the softmax of ``log(calibrated machine) + log L``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.consensus.head import softmax
from skysort.errors import InputError

__all__ = [
    "METHODS",
    "AuditRows",
    "Calibration",
    "calibrate_held_out",
    "fit_calibration",
    "pool_adjacent_violators",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Method = Literal["none", "temperature", "isotonic"]

#: The maps, simplest first.
METHODS: tuple[Method, ...] = ("none", "temperature", "isotonic")
#: Smallest probability whose logarithm is taken.
TINY = float(np.finfo(float).tiny)
#: Standard deviation of log(temperature) before anything is known: within 0.5 and 1.8
#: nearly always, since the head brings a temperature of its own. Of several tried beside `MARGIN`,
#: the least loss over machines from honest to twice too sure, 80 to 600 subjects.
TEMPERATURE_SPREAD = 0.3
#: Range of log(temperature) that is searched, and its steps before the search is refined.
TEMPERATURE_RANGE = 3.0
TEMPERATURE_STEPS = 61
#: Subjects that the identity counts as in the isotonic map: keeps it rising and above 0.
ISOTONIC_SUBJECTS = 2.0
#: Cells of probability that isotonic regression starts from, and its rounds.
ISOTONIC_CELLS = 200
ISOTONIC_ROUNDS = 30
#: Fewer subjects with votes than this say nothing about a map.
LEAST_ROWS = {"temperature": 20, "isotonic": 100}
#: Standard errors by which a map must be better than a simpler one; the temperature is guarded by
#: its shrinkage as well.
MARGIN = {"temperature": 0.5, "isotonic": 1.0}


@dataclass(frozen=True)
class Calibration:
    """A map from the machine's probabilities to honest ones.

    Attributes
    ----------
    method : {"none", "temperature", "isotonic"}
        What was chosen.
    temperature : float
        Probabilities are raised to 1 / temperature and normalized; above 1 the machine boasts.
    claimed, found : tuple of float
        Knots of the isotonic curve, rising; between them it is straight, outside it is level.
    identity_share : float
        Share of the identity that is mixed with the curve, so that it rises everywhere.
    n_rows : int
        Subjects with votes behind the choice.
    gain_bits : dict of str to float
        Gain of each map over none, in bits for each subject with votes, on subjects left out.
    gain_error_bits : dict of str to float
        Standard errors of those gains.

    Examples
    --------
    >>> Calibration("temperature", temperature=2.0).apply([[0.9, 0.1]]).round(3).tolist()
    [[0.75, 0.25]]
    """

    method: Method = "none"
    temperature: float = 1.0
    claimed: tuple[float, ...] = ()
    found: tuple[float, ...] = ()
    identity_share: float = 0.0
    n_rows: int = 0
    gain_bits: Mapping[str, float] | None = None
    gain_error_bits: Mapping[str, float] | None = None

    def apply(
        self, probabilities: ArrayLike, own_log_likelihood: ArrayLike | None = None
    ) -> FloatArray:
        """Calibrate what the machine says; add what people say.

        Parameters
        ----------
        probabilities : array_like of float, (N, C)
            What the machine says without votes on the subjects themselves; each row sums to 1.
        own_log_likelihood : array_like of float, (N, C), optional
            Log probability of the subjects' own votes under each class. It is not calibrated.

        Returns
        -------
        ndarray, float64, (N, C)
            Each row sums to 1.

        Raises
        ------
        InputError
            If rows are no probabilities or shapes differ.
        """
        p = _probabilities(probabilities)
        if self.method == "temperature":
            p = softmax(np.log(np.maximum(p, TINY)) / self.temperature)
        elif self.method == "isotonic":
            curve = np.interp(p, self.claimed, self.found)
            p = (1.0 - self.identity_share) * curve + self.identity_share * p
            p = p / p.sum(axis=1, keepdims=True)
        if own_log_likelihood is None:
            return p
        return softmax(np.log(np.maximum(p, TINY)) + _evidence(own_log_likelihood, p.shape))

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return {
            "method": self.method,
            "temperature": self.temperature,
            "claimed": list(self.claimed),
            "found": list(self.found),
            "identity_share": self.identity_share,
            "n_rows": self.n_rows,
            "gain_bits": None if self.gain_bits is None else dict(self.gain_bits),
            "gain_error_bits": None if self.gain_error_bits is None else dict(self.gain_error_bits),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Calibration":
        """Take back what `to_dict` gave.

        Raises
        ------
        InputError
            If a field is missing or unknown, or the method is.
        """
        wrong = set(record) ^ set(cls.__dataclass_fields__)
        if wrong:
            raise InputError(f"a calibration has other fields than {', '.join(sorted(wrong))}")
        if record["method"] not in METHODS:
            raise InputError(f"method must be one of {METHODS}, got {record['method']!r}")
        knots = {name: tuple(map(float, record[name])) for name in ("claimed", "found")}
        return cls(**{**record, **knots})


@dataclass(frozen=True)
class AuditRows:
    """Checked rows of the audit sample.

    Attributes
    ----------
    probabilities : ndarray, float64, (M, C)
        What the machine says.
    likelihood : ndarray, float64, (M, C)
        Probability of the votes under each class over that of the best class; ones without votes.
    weights : ndarray, float64, (M,)
        Mean 1.
    """

    probabilities: FloatArray
    likelihood: FloatArray
    weights: FloatArray

    @classmethod
    def checked(
        cls, probabilities: ArrayLike, log_likelihood: ArrayLike, weights: ArrayLike | None
    ) -> "AuditRows":
        """Check shapes and values; see `fit_calibration`."""
        p = _probabilities(probabilities)
        evidence = _evidence(log_likelihood, p.shape)
        w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=float)
        if w.shape != (len(p),) or not (np.isfinite(w).all() and (w > 0.0).all()):
            raise InputError(f"weights must be {len(p)} numbers above 0")
        return cls(p, np.exp(evidence), w / w.mean() if len(w) else w)

    @property
    def is_informative(self) -> NDArray[np.bool_]:
        """Rows (M,) whose votes speak for one class or another."""
        informative: NDArray[np.bool_] = (self.likelihood.min(axis=1) < 1.0).astype(bool)
        return informative

    def take(self, rows: NDArray[Any]) -> "AuditRows":
        """Choose rows."""
        return AuditRows(self.probabilities[rows], self.likelihood[rows], self.weights[rows])


def _probabilities(values: ArrayLike) -> FloatArray:
    p = np.asarray(values, dtype=float)
    if p.ndim != 2 or p.shape[1] < 1:
        raise InputError(f"probabilities must have rows and columns, got shape {p.shape}")
    wrong = np.flatnonzero(~((p >= 0.0).all(axis=1) & (np.abs(p.sum(axis=1) - 1.0) < 1e-6)))
    if len(wrong):
        raise InputError(f"probabilities must be at least 0 and sum to 1, row {wrong[0]} does not")
    return p


def _evidence(log_likelihood: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Check log likelihoods and shift them so that the largest of each row is 0."""
    evidence = np.asarray(log_likelihood, dtype=float)
    if evidence.shape != shape:
        raise InputError(f"log likelihoods must have shape {shape}, got {evidence.shape}")
    best = evidence.max(axis=1, keepdims=True)
    wrong = np.flatnonzero(~np.isfinite(best[:, 0]) | np.isnan(evidence).any(axis=1))
    if len(wrong):
        raise InputError(f"log likelihoods must be numbers, those of row {wrong[0]} are not")
    shifted: FloatArray = evidence - best
    return shifted


def _log_score(calibration: Calibration, rows: AuditRows) -> FloatArray:
    """Log probability (M,) of each subject's votes."""
    mean = (calibration.apply(rows.probabilities) * rows.likelihood).sum(axis=1)
    score: FloatArray = np.log(np.maximum(mean, TINY))
    return score


def _fit_temperature(rows: AuditRows) -> Calibration:
    """Find the temperature of largest posterior probability: steps, then a golden section."""

    def loss(log_temperature: float) -> float:
        trial = Calibration("temperature", temperature=float(np.exp(log_temperature)))
        penalty = 0.5 * (log_temperature / TEMPERATURE_SPREAD) ** 2
        return penalty - float(rows.weights @ _log_score(trial, rows))

    steps = np.linspace(-TEMPERATURE_RANGE, TEMPERATURE_RANGE, TEMPERATURE_STEPS)
    nearest = steps[int(np.argmin([loss(step) for step in steps]))]
    width = float(steps[1] - steps[0])
    best = _golden_section(loss, nearest - width, nearest + width)
    return Calibration("temperature", temperature=float(np.exp(best)))


def _golden_section(loss: Callable[[float], float], low: float, high: float) -> float:
    """Find the least loss between two limits, to 1e-4."""
    golden = (5.0**0.5 - 1.0) / 2.0
    left, right = high - golden * (high - low), low + golden * (high - low)
    left_loss, right_loss = loss(left), loss(right)
    while high - low > 1e-4:
        if left_loss < right_loss:
            high, right, right_loss = right, left, left_loss
            left = high - golden * (high - low)
            left_loss = loss(left)
        else:
            low, left, left_loss = left, right, right_loss
            right = low + golden * (high - low)
            right_loss = loss(right)
    return 0.5 * (low + high)


def _fit_isotonic(rows: AuditRows) -> Calibration:
    """Fit a rising curve to what is expected of hidden truth, and expect anew, in turns."""
    p = rows.probabilities
    n_rows, n_classes = p.shape
    edges = np.unique(np.quantile(p, np.linspace(0.0, 1.0, ISOTONIC_CELLS + 1)))
    cell = np.clip(np.searchsorted(edges, p.ravel(), side="right") - 1, 0, None)
    weight = np.repeat(rows.weights, n_classes)
    in_cell = np.bincount(cell, weight).astype(float)
    low, high = _cell_range(p.ravel(), cell)
    identity = ISOTONIC_SUBJECTS / (n_rows + ISOTONIC_SUBJECTS)
    curve = Calibration()
    for _ in range(ISOTONIC_ROUNDS):
        expected = curve.apply(p) * rows.likelihood
        expected /= np.maximum(expected.sum(axis=1, keepdims=True), TINY)
        target = np.bincount(cell, weight * expected.ravel()) / np.maximum(in_cell, TINY)
        is_filled = in_cell > 0.0
        level, block = pool_adjacent_violators(target[is_filled], in_cell[is_filled])
        first = np.flatnonzero(np.diff(block, prepend=-1))
        last = np.flatnonzero(np.diff(block, append=len(level)))
        ends = np.stack([low[is_filled][first], high[is_filled][last]], axis=1).ravel()
        curve = Calibration(
            "isotonic",
            claimed=tuple(ends.tolist()),
            found=tuple(np.repeat(level, 2).tolist()),
            identity_share=identity,
        )
    return curve


def _cell_range(values: FloatArray, cell: IntArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest value of each cell; infinite where it is empty."""
    low, high = np.full(cell.max() + 1, np.inf), np.full(cell.max() + 1, -np.inf)
    np.minimum.at(low, cell, values)
    np.maximum.at(high, cell, values)
    return low, high


def pool_adjacent_violators(target: FloatArray, weight: FloatArray) -> tuple[FloatArray, IntArray]:
    """Find the rising steps nearest to a sequence, by weighted squares (Ayer et al. 1955).

    Parameters
    ----------
    target, weight : ndarray, float64, (n,)
        Sequence, and weights above 0.

    Returns
    -------
    level : ndarray, float64, (n_blocks,)
        Heights of the steps, strictly rising.
    block : ndarray, int64, (n,)
        Step of each entry.

    Examples
    --------
    >>> import numpy as np
    >>> level, block = pool_adjacent_violators(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))
    >>> level[block].tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    level: list[float] = []
    mass: list[float] = []
    size: list[int] = []
    for value, weighs in zip(target.tolist(), weight.tolist(), strict=True):
        count = 1
        while level and level[-1] >= value:
            before, earlier = mass.pop(), level.pop()
            value = (value * weighs + earlier * before) / (weighs + before)
            weighs += before
            count += size.pop()
        level.append(value)
        mass.append(weighs)
        size.append(count)
    return np.array(level), np.repeat(np.arange(len(level)), size)


FITS: dict[Method, Callable[[AuditRows], Calibration]] = {
    "none": lambda _: Calibration(),
    "temperature": _fit_temperature,
    "isotonic": _fit_isotonic,
}


def _folds(n_rows: int, n_folds: int, seed: int) -> IntArray:
    """Fold (M,) of each row, by chance, of equal sizes."""
    return np.random.default_rng(seed).permutation(n_rows) % n_folds


def _held_out_scores(rows: AuditRows, fold: IntArray) -> dict[Method, FloatArray]:
    """Log probability of the votes of each row by maps fitted on the other folds."""
    scores = {method: np.empty(len(fold)) for method in METHODS}
    for left_out in np.unique(fold):
        inside = fold == left_out
        for method, fit in FITS.items():
            scores[method][inside] = _log_score(fit(rows.take(~inside)), rows.take(inside))
    return scores


def _gain(better: FloatArray, simpler: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Weighted mean of the differences, and its standard error."""
    difference = better - simpler
    total = weights.sum()
    mean = float(weights @ difference / total)
    return mean, float(np.sqrt(weights**2 @ (difference - mean) ** 2) / total)


def _chosen(scores: dict[Method, FloatArray], weights: FloatArray) -> Method:
    best: Method = "none"
    for method in METHODS[1:]:
        mean, error = _gain(scores[method], scores[best], weights)
        if len(weights) >= LEAST_ROWS[method] and mean > MARGIN[method] * error:
            best = method
    return best


def fit_calibration(
    probabilities: ArrayLike,
    log_likelihood: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    n_folds: int = 5,
    seed: int = 0,
) -> Calibration:
    """Choose and fit a map from claimed to honest probabilities on the audit sample.

    Parameters
    ----------
    probabilities : array_like of float, (M, C)
        What the machine says of the audit sample, without its votes; each row sums to 1.
    log_likelihood : array_like of float, (M, C)
        Log probability of each subject's votes under each class, natural logarithm, up to a
        constant in each row; equal numbers where there are no votes. Minus infinity rules out.
    weights : array_like of float, (M,), optional
        Inverse probabilities of being drawn, above 0; by default all equal.
    n_folds : int, optional
        Parts that are left out in turn.
    seed : int, optional
        Of the parts.

    Returns
    -------
    Calibration
        None at all if there are too few subjects with votes to choose.

    Raises
    ------
    InputError
        If shapes, probabilities, log likelihoods or weights make no sense.

    Examples
    --------
    Nearly sure of everything, but right only eight times of ten:

    >>> import numpy as np
    >>> said = np.tile([0.95, 0.05], (90, 1))
    >>> truth = np.arange(90) % 10 >= 8
    >>> voted = np.log(np.where(np.eye(2)[truth.astype(int)] > 0, 0.999, 0.001))
    >>> calibration = fit_calibration(said, voted)
    >>> calibration.method, calibration.apply(said[:1]).round(1).tolist()
    ('temperature', [[0.8, 0.2]])
    """
    if n_folds < 2:
        raise InputError(f"n_folds must be at least 2, got {n_folds}")
    rows = AuditRows.checked(probabilities, log_likelihood, weights)
    return _choose(rows.take(rows.is_informative), n_folds, seed)


def _choose(rows: AuditRows, n_folds: int, seed: int) -> Calibration:
    n_rows = len(rows.weights)
    if n_rows < max(n_folds, min(LEAST_ROWS.values())):
        return Calibration(n_rows=n_rows)
    scores = _held_out_scores(rows, _folds(n_rows, n_folds, seed))
    gains = {m: _gain(scores[m], scores["none"], rows.weights) for m in METHODS[1:]}
    fitted = FITS[_chosen(scores, rows.weights)](rows)
    bit = float(np.log(2.0))
    return Calibration(
        fitted.method,
        temperature=fitted.temperature,
        claimed=fitted.claimed,
        found=fitted.found,
        identity_share=fitted.identity_share,
        n_rows=n_rows,
        gain_bits={method: gain / bit for method, (gain, _) in gains.items()},
        gain_error_bits={method: error / bit for method, (_, error) in gains.items()},
    )


def calibrate_held_out(
    probabilities: ArrayLike,
    log_likelihood: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    n_folds: int = 5,
    seed: int = 0,
) -> FloatArray:
    """Calibrate each audit subject by a map chosen and fitted without it.

    For the figures of a calibrated catalog: a map looks too good on the sample that made it.

    Parameters
    ----------
    probabilities, log_likelihood, weights, n_folds, seed
        As for `fit_calibration`.

    Returns
    -------
    ndarray, float64, (M, C)
        Each row sums to 1.

    Raises
    ------
    InputError
        As `fit_calibration`.
    """
    if n_folds < 2:
        raise InputError(f"n_folds must be at least 2, got {n_folds}")
    rows = AuditRows.checked(probabilities, log_likelihood, weights)
    honest = rows.probabilities.copy()
    fold = _folds(len(honest), n_folds, seed)
    for left_out in np.unique(fold):
        inside = fold == left_out
        kept = rows.take(~inside & rows.is_informative)
        honest[inside] = _choose(kept, n_folds, seed).apply(honest[inside])
    return honest
