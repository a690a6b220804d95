"""Learns from the evidence on some subjects what the invariant features say of all.

A multinomial logistic regression that *corrects* what the prototypes say: their log probabilities
are an offset, so that without evidence it repeats them. It maximizes the probability of the votes,
``sum_n log sum_c p_n(c) L_n(c)`` with L the likelihood of the votes on subject n, by expectation
maximization; the step in the weights uses the bound of the curvature by Boehning (1992, Ann. Inst.
Statist. Math. 44, 197) and the momentum of Nesterov (1983), so one small matrix is inverted once.

How stiff it is, how far it follows the prototypes and how sure it is of itself (a temperature) are
chosen by the probability of votes held out. A subject with evidence of its own gets the answer of
a fit that has not seen that evidence, so that its votes are not counted twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError

__all__ = ["HeadChoice", "HeadFit", "HeadSettings", "fit_head", "softmax"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


#: A hint for the strength of the prior is trusted to this factor.
FARTHEST = 4.0
#: Prior of the strength, log-normal: few lessons alone would have a head that is sure of nothing.
USUAL_STRENGTH, STRENGTH_SPREAD = 0.1, 1.5
#: A strength with a smaller share than this is left out.
LEAST_SHARE = 0.05
#: Standard deviation of the prior of the temperature's logarithm about 0.
TEMPERATURE_SPREAD = 0.15
#: Probabilities of prototypes below this are taken for it: at a temperature none vanishes then.
LEAST_PROBABILITY = 1e-30
#: Rows worked on at once: 129 numbers each take 34 MB.
ROWS_AT_ONCE = 32768


@dataclass(frozen=True)
class HeadSettings:
    """What is compared on held-out votes, and how long it takes.

    Attributes
    ----------
    strengths : tuple of float
        Precisions of the Gaussian prior of the weights.
    follow : tuple of float
        Powers of the prototypes' word: 0 is none of it, 1 all.
    temperatures : tuple of float
        Divisors of the logits.
    n_folds : int
        Parts of the subjects with evidence; each is judged by a fit to the others.
    n_steps : int
        Steps of each fit.
    max_compared, max_lessons : int
        Subjects with evidence that take part in the comparison, and in the fits.
    seed : int
        Of the parts.
    """

    strengths: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
    follow: tuple[float, ...] = (0.0, 0.5, 1.0)
    temperatures: tuple[float, ...] = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6, 2.0)
    n_folds: int = 5
    n_steps: int = 40
    max_compared: int = 4000
    max_lessons: int = 30_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_folds < 2:
            raise InputError(f"n_folds must be at least 2, got {self.n_folds}")
        for name in ("strengths", "follow", "temperatures"):
            if not getattr(self, name):
                raise InputError(f"{name} must hold at least one number")


@dataclass(frozen=True)
class HeadChoice:
    """What did best on held-out votes.

    Attributes
    ----------
    follow : float
        Power of the prototypes' word.
    strengths, shares : tuple of float
        Precisions of the prior, and the share of each in the mean of the logits: where few votes
        cannot tell them apart, none of them is believed alone.
    """

    follow: float
    strengths: tuple[float, ...]
    shares: tuple[float, ...]

    @property
    def strength(self) -> float:
        """Geometric mean of the precisions."""
        return float(np.exp(np.log(self.strengths) @ np.array(self.shares)))


@dataclass(frozen=True)
class HeadFit:
    """What the machine says of N subjects; C classes.

    Attributes
    ----------
    probabilities : ndarray, float64, (N, C)
        Sums to 1; for a subject with evidence, by a fit without it.
    cell_logits, head_logits : ndarray, float64, (N, C)
        What prototypes and features brought: with the logarithm of the class frequencies they add
        up to the logarithm of `probabilities`, but for a constant in each row.
    n_features : int
        What it learns from, d; 0 if there was nothing but a constant.
    choice : HeadChoice or None
        How stiff it is; None without lessons.
    temperature : float
        Divisor of the logits that did best on held-out votes.
    gain_bits : float
        How much better than prototypes alone, in bits for each subject with evidence.
    """

    probabilities: FloatArray
    cell_logits: FloatArray
    head_logits: FloatArray
    n_features: int
    choice: HeadChoice | None
    temperature: float
    gain_bits: float


@dataclass(frozen=True)
class _Lessons:
    """Subjects with evidence: features with a constant (M, d + 1), prior logits, likelihood."""

    features: FloatArray
    frequency: FloatArray  # (C,) log
    cell: FloatArray  # (M, C) log, relative to the frequency
    likelihood: FloatArray  # (M, C), largest 1

    def offset(self, follow: float) -> FloatArray:
        total: FloatArray = self.frequency + follow * self.cell
        return total

    def take(self, rows: IntArray | NDArray[np.bool_]) -> "_Lessons":
        return _Lessons(self.features[rows], self.frequency, self.cell[rows], self.likelihood[rows])


def softmax(logits: FloatArray) -> FloatArray:
    """Turn logits (N, C) into probabilities that sum to 1 in each row."""
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    share: FloatArray = weight / weight.sum(axis=1, keepdims=True)
    return share


def _evidence(probabilities: FloatArray, likelihood: FloatArray) -> float:
    """Log probability of the votes."""
    return float(np.log((probabilities * likelihood).sum(axis=1)).sum())


def _fit(lessons: _Lessons, follow: float, strength: float, n_steps: int) -> FloatArray:
    """Weights (d + 1, C) of largest posterior probability."""
    features, offset = lessons.features, lessons.offset(follow)
    n_columns = features.shape[1]
    bound = 0.5 * (features.T @ features) + strength * np.eye(n_columns)
    inverse = np.linalg.inv(bound)
    weights = np.zeros((n_columns, offset.shape[1]))
    ahead, momentum, best = weights, 1.0, -np.inf
    for _ in range(n_steps):
        prior = softmax(offset + features @ ahead)
        posterior = prior * lessons.likelihood
        total = posterior.sum(axis=1, keepdims=True)
        value = float(np.log(total).sum()) - 0.5 * strength * float((ahead**2).sum())
        if value < best:
            momentum = 1.0
        best = value
        slope = features.T @ (posterior / total - prior) - strength * ahead
        updated = ahead + inverse @ slope
        faster = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = updated + (momentum - 1.0) / faster * (updated - weights)
        weights, momentum = updated, faster
    return weights


@dataclass(frozen=True)
class _Taught:
    """Weights (d + 1, C) and how sure they are (d + 1, d + 1)."""

    weights: FloatArray
    covariance: FloatArray

    @classmethod
    def of(
        cls, lessons: _Lessons, weights: FloatArray, choice: HeadChoice, strength: float
    ) -> "_Taught":
        """Laplace's approximation: the precision is what the votes have told of the classes."""
        prior = softmax(lessons.offset(choice.follow) + lessons.features @ weights)
        posterior = prior * lessons.likelihood
        posterior /= posterior.sum(axis=1, keepdims=True)
        told = (prior * (1.0 - prior)).sum(axis=1) - (posterior * (1.0 - posterior)).sum(axis=1)
        known = lessons.features * np.maximum(told, 0.0)[:, None] / 2.0
        precision = known.T @ lessons.features + strength * np.eye(len(weights))
        return cls(weights, np.linalg.inv(precision))

    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N, C), drawn to zero where the lessons leave them open.

        The mean of the softmax over the weights' posterior is near that of logits divided by
        ``sqrt(1 + pi v / 8)``, v their variance (MacKay 1992, Neural Computation 4, 720).
        """
        variance = np.einsum("nd,nd->n", features @ self.covariance, features)
        moderation = np.sqrt(1.0 + np.pi / 8.0 * variance)
        drawn: FloatArray = features @ self.weights / moderation[:, None]
        return drawn


def _folds(n: int, n_folds: int, seed: int) -> IntArray:
    fold = np.arange(n) % n_folds
    np.random.default_rng(seed).shuffle(fold)
    return fold


def _cross_fitted(
    lessons: _Lessons, fold: IntArray, choice: HeadChoice, settings: HeadSettings
) -> FloatArray:
    """Logits of features (M, C), each row by a fit without its part."""
    logits = np.empty(lessons.cell.shape)
    for part in range(settings.n_folds):
        others = lessons.take(fold != part)
        logits[fold == part] = _taught(
            lessons.features[fold == part, :-1], others, choice, settings.n_steps
        )
    return logits


def _taught(
    features: NDArray[np.floating], lessons: _Lessons, choice: HeadChoice, n_steps: int
) -> FloatArray:
    """Logits (N, C) of features (N, d) by fits to the lessons, a block of rows at a time."""
    fits = [
        _Taught.of(lessons, _fit(lessons, choice.follow, strength, n_steps), choice, strength)
        for strength in choice.strengths
    ]
    logits = np.zeros((len(features), lessons.cell.shape[1]))
    for start in range(0, len(features), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        block = _with_constant(features[rows])
        for fit, share in zip(fits, choice.shares, strict=True):
            logits[rows] += share * fit.logits(block)
    return logits


def _coolest(
    offset: FloatArray, logits: FloatArray, likelihood: FloatArray, settings: HeadSettings
) -> tuple[float, float]:
    """Best temperature of held-out logits and the evidence at it."""
    tried = [
        (_evidence(softmax((offset + logits) / t), likelihood), -abs(np.log(t)), t)
        for t in settings.temperatures
    ]
    value, _, temperature = max(
        tried, key=lambda each: (each[0] - (each[1] / TEMPERATURE_SPREAD) ** 2 / 2.0, each[1])
    )
    return temperature, value


def _choose(lessons: _Lessons, settings: HeadSettings, hint: HeadChoice | None) -> HeadChoice:
    """Power of the prototypes and strengths of the prior that predict held-out votes best.

    First the strengths, then the power; with a hint only strengths next to it.
    """
    rng = np.random.default_rng(settings.seed)
    some = lessons.take(rng.permutation(len(lessons.cell))[: settings.max_compared])
    scale = len(some.cell) / len(lessons.cell)
    fold = _folds(len(some.cell), settings.n_folds, settings.seed)

    def evidence(follow: float, strength: float) -> float:
        # Fewer lessons weigh less against the prior: make the prior weaker in proportion.
        choice = HeadChoice(follow, (strength * scale,), (1.0,))
        logits = _cross_fitted(some, fold, choice, settings)
        return _coolest(some.offset(follow), logits, some.likelihood, settings)[1] / scale

    follow, strengths = settings.follow[-1], settings.strengths
    if hint is not None:
        follow, near = hint.follow, hint.strength
        close = tuple(s for s in strengths if near / FARTHEST <= s <= near * FARTHEST)
        strengths = close or strengths
    values = np.array([evidence(follow, strength) for strength in strengths])
    values -= (np.log(np.array(strengths) / USUAL_STRENGTH) / STRENGTH_SPREAD) ** 2 / 2.0
    best = strengths[int(values.argmax())]
    shares = np.exp(values - values.max())
    shares[shares < LEAST_SHARE * shares.sum()] = 0.0
    shares /= shares.sum()
    kept = [(s, float(w)) for s, w in zip(strengths, shares, strict=True) if w > 0.0]
    follow = max(settings.follow, key=lambda f: evidence(f, best))
    return HeadChoice(follow, tuple(s for s, _ in kept), tuple(w for _, w in kept))


def fit_head(
    features: ArrayLike,
    cell_probabilities: ArrayLike,
    class_prior: ArrayLike,
    rows: ArrayLike,
    log_likelihood: ArrayLike,
    *,
    settings: HeadSettings | None = None,
    choice: HeadChoice | None = None,
    hint: HeadChoice | None = None,
) -> HeadFit:
    """Learn what features say, beyond the prototypes, from subjects with evidence of their own.

    Parameters
    ----------
    features : array_like of float, (N, d)
        Invariant features of all subjects, of about unit length: see `kernel_map`.
    cell_probabilities : array_like of float, (N, C)
        What the prototypes say; positive, sums to 1.
    class_prior : array_like of float, (C,)
        Class frequencies; positive.
    rows : array_like of int, (M,)
        Subjects with evidence, each once.
    log_likelihood : array_like of float, (M, C)
        Log probability of the votes on them for each class; -inf for one that they rule out.
    settings : HeadSettings, optional
        By default the defaults.
    choice : HeadChoice, optional
        What has been chosen before, with the same votes.
    hint : HeadChoice, optional
        What was chosen with fewer votes: only its neighbors are compared.

    Returns
    -------
    HeadFit
        With too few subjects (less than twice the folds), what the prototypes say.

    Raises
    ------
    InputError
        If shapes do not fit each other, a probability is not positive or votes rule out all
        classes.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> truth = np.arange(200) % 2
    >>> features = np.eye(2)[truth] + rng.normal(0.0, 0.1, (200, 2))
    >>> rows = np.arange(40)
    >>> said = np.log(np.where(np.eye(2)[truth[rows]] > 0.0, 0.8, 0.2))
    >>> head = fit_head(features, np.full((200, 2), 0.5), [0.5, 0.5], rows, said)
    >>> bool((head.probabilities.argmax(axis=1) == truth).all())
    True
    """
    chosen = settings or HeadSettings()
    inputs = np.asarray(features)
    told = np.asarray(cell_probabilities, dtype=float)
    prior = np.asarray(class_prior, dtype=float)
    voted, evidence = np.asarray(rows), np.asarray(log_likelihood, dtype=float)
    _check(inputs, told, prior, voted, evidence)
    frequency = np.log(prior)
    cells = np.log(np.maximum(told, LEAST_PROBABILITY)) - frequency
    n_classes = len(frequency)
    if len(voted) < 2 * chosen.n_folds:
        return _prototypes_alone(cells, frequency, inputs.shape[1])
    if len(voted) > chosen.max_lessons:
        some = np.random.default_rng(chosen.seed).permutation(len(voted))[: chosen.max_lessons]
        voted, evidence = voted[some], evidence[some]
    lessons = _Lessons(
        _with_constant(inputs[voted]),
        frequency,
        cells[voted],
        np.exp(evidence - evidence.max(axis=1, keepdims=True)),
    )
    choice = choice or _choose(lessons, chosen, hint)
    follow = choice.follow
    fold = _folds(len(voted), chosen.n_folds, chosen.seed)
    held_out = _cross_fitted(lessons, fold, choice, chosen)
    temperature, value = _coolest(lessons.offset(follow), held_out, lessons.likelihood, chosen)
    logits = _taught(inputs, lessons, choice, chosen.n_steps)
    logits[voted] = held_out
    offset = frequency + follow * cells
    alone = _evidence(softmax(lessons.offset(1.0)), lessons.likelihood)
    return HeadFit(
        softmax((offset + logits) / temperature),
        follow * cells / temperature,
        (logits + frequency) / temperature - frequency,
        inputs.shape[1],
        choice,
        temperature,
        (value - alone) / len(voted) / np.log(2.0) if n_classes > 1 else 0.0,
    )


def _prototypes_alone(cells: FloatArray, frequency: FloatArray, n_features: int) -> HeadFit:
    return HeadFit(
        softmax(frequency + cells),
        cells,
        np.zeros_like(cells),
        n_features,
        None,
        1.0,
        0.0,
    )


def _with_constant(features: NDArray[np.floating]) -> FloatArray:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1, dtype=np.float64)


def _check(
    features: NDArray[np.floating],
    told: FloatArray,
    prior: FloatArray,
    rows: NDArray[np.int64],
    evidence: FloatArray,
) -> None:
    if features.ndim != 2:
        raise InputError(f"features must have rows and columns, got shape {features.shape}")
    n, n_classes = len(features), len(prior)
    if told.shape != (n, n_classes):
        raise InputError(f"cell_probabilities must have shape ({n}, {n_classes}), got {told.shape}")
    if not ((told > 0.0).all() and (prior > 0.0).all()):
        raise InputError("cell_probabilities and class_prior must be positive")
    if evidence.shape != (len(rows), n_classes):
        raise InputError(
            f"log_likelihood must have shape ({len(rows)}, {n_classes}), got {evidence.shape}"
        )
    wrong = np.flatnonzero(~np.isfinite(evidence.max(axis=1, initial=-np.inf)))
    if len(wrong):
        raise InputError(f"log_likelihood must have a finite maximum, row {wrong[0]} has none")
    if len(rows) and not (rows.min() >= 0 and rows.max() < n):
        raise InputError(f"rows must lie between 0 and {n - 1}")
    if len(np.unique(rows)) != len(rows):
        raise InputError("rows must name each subject once")
