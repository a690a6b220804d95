"""Carries the classes of prototypes over to their members.

A member shares its prototype's class with a probability that falls with its distance; between the
best and the second-best prototype that probability is divided as in fuzzy c-means (Bezdek 1981);
a second-best one that nobody voted on leaves its share to the best as far as neighbors agree.
With z the distance beyond the prototype's usual one, in robust standard deviations of its members,

    membership = trust * 2 ** -(max(z, 0) / half_distance) ** 2
    share of the best = d2 ** e / (d1 ** e + d2 ** e),  e = 2 / (fuzziness - 1)

and what is left, like everything that a prototype calls mixed, follows the class frequencies of the
whole catalog. An outlier thus knows little but those. `trust` is how often a member in the midst of
a prototype's members is of its class; it is learnt from subjects that have votes of their own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = [
    "CellTable",
    "Membership",
    "familiarity",
    "fit_trust",
    "membership",
    "project_cells",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Pseudo-members behind the usual distance of a prototype, which are those of the whole map.
SPREAD_STRENGTH = 10.0
#: Turns a median absolute deviation into the standard deviation of a Gaussian.
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class CellTable:
    """Every subject's place on a map of `n_cells` prototypes; one entry per subject.

    Attributes
    ----------
    best, second : ndarray of int, (N,)
        Best and second-best prototype, from 0.
    distance, second_distance : ndarray of float, (N,)
        Distance to each; finite, not negative, in any unit.
    n_cells : int
        Number of prototypes.
    """

    best: IntArray
    second: IntArray
    distance: FloatArray
    second_distance: FloatArray
    n_cells: int

    def __post_init__(self) -> None:
        for name in ("best", "second"):
            index = getattr(self, name)
            if index.shape != self.best.shape or index.ndim != 1 or index.dtype.kind not in "iu":
                raise InputError(f"{name} must be a flat array of integers, one for each subject")
            if index.size and not (index.min() >= 0 and index.max() < self.n_cells):
                raise InputError(
                    f"{name} must lie between 0 and {self.n_cells - 1}, got {index.min()} to "
                    f"{index.max()}"
                )
        for name in ("distance", "second_distance"):
            value = getattr(self, name)
            if value.shape != self.best.shape:
                raise InputError(f"{name} must have {self.best.size} entries, got {value.size}")
            if not (np.isfinite(value).all() and (value >= 0.0).all()):
                raise InputError(f"{name} must be finite and not negative")


@dataclass(frozen=True)
class Membership:
    """How much of each subject's class comes from where; the three sum to 1, each (N,)."""

    best: FloatArray
    second: FloatArray
    prior: FloatArray


def _medians(values: FloatArray, cell: IntArray, n_cells: int) -> FloatArray:
    """Median of the values in each cell (n_cells,); NaN where there is none."""
    order = np.lexsort((values, cell))
    count = np.bincount(cell, minlength=n_cells)
    start = np.cumsum(count) - count
    ranked = values[order]
    filled = count > 0
    median = np.full(n_cells, np.nan)
    low = ranked[(start + (count - 1) // 2)[filled]]
    high = ranked[(start + count // 2)[filled]]
    median[filled] = (low + high) / 2.0
    return median


def _excess(cells: CellTable) -> FloatArray:
    """Distance beyond the prototype's usual one in its members' standard deviations (N,)."""
    distance, best = np.asarray(cells.distance, dtype=float), np.asarray(cells.best)
    if not distance.size:
        return distance
    count = np.bincount(best, minlength=cells.n_cells)
    usual, all_usual = _medians(distance, best, cells.n_cells), np.median(distance)
    spread = _medians(np.abs(distance - usual[best]), best, cells.n_cells)
    all_spread = np.median(np.abs(distance - usual[best]))

    def shrunk(value: FloatArray, common: float) -> FloatArray:
        known = np.where(count > 0, value, 0.0)
        both: FloatArray = (count * known + SPREAD_STRENGTH * common) / (count + SPREAD_STRENGTH)
        return both

    sigma = MAD_TO_SIGMA * shrunk(spread, float(all_spread))[best]
    beyond = np.maximum(distance - shrunk(usual, float(all_usual))[best], 0.0)
    excess: FloatArray = beyond / np.maximum(sigma, np.finfo(float).tiny)
    return excess


def familiarity(cells: CellTable, *, half_distance: float = 5.0) -> FloatArray:
    """Say how far subjects lie within what the map knows.

    Parameters
    ----------
    cells : CellTable
        Places of N subjects.
    half_distance : float, optional
        Robust standard deviations beyond the prototype's usual distance at which it is 1/2.

    Returns
    -------
    ndarray, float64, (N,)
        1 in the midst of a prototype's members, near 0 for what no prototype resembles.

    Raises
    ------
    InputError
        If `half_distance` is not positive.
    """
    if not half_distance > 0.0:
        raise InputError(f"half_distance must be positive, got {half_distance}")
    # Far outliers underflow to no membership at all, which is what they have.
    with np.errstate(under="ignore", over="ignore"):
        known: FloatArray = np.exp2(-((_excess(cells) / half_distance) ** 2))
    return known


def membership(
    cells: CellTable, *, trust: float = 1.0, half_distance: float = 5.0, fuzziness: float = 1.5
) -> Membership:
    """Say how far each subject follows its two nearest prototypes.

    Parameters
    ----------
    cells : CellTable
        Places of N subjects.
    trust : float, optional
        Membership of a subject in the midst of a prototype's members, from 0 to 1.
    half_distance : float, optional
        Robust standard deviations beyond the usual distance at which membership is halved.
    fuzziness : float, optional
        Above 1; near 1 only the best prototype counts, far above 1 both count alike.

    Returns
    -------
    Membership
        Three weights for each subject.

    Raises
    ------
    InputError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> first, second = np.array([0, 0, 0]), np.array([1, 1, 1])
    >>> cells = CellTable(first, second, np.array([1.0, 1.1, 9.0]), np.array([2.0, 1.1, 9.5]), 2)
    >>> membership(cells).best.round(2).tolist()
    [0.94, 0.5, 0.0]
    """
    if not 0.0 <= trust <= 1.0:
        raise InputError(f"trust must lie between 0 and 1, got {trust}")
    if not fuzziness > 1.0:
        raise InputError(f"fuzziness must be above 1, got {fuzziness}")
    total = trust * familiarity(cells, half_distance=half_distance)
    with np.errstate(under="ignore", over="ignore"):
        nearer = np.divide(
            np.asarray(cells.distance, dtype=float),
            cells.second_distance,
            out=np.ones(len(cells.best)),
            where=cells.second_distance > 0.0,
        )
        best = total / (1.0 + nearer ** (2.0 / (fuzziness - 1.0)))
    return Membership(best, total - best, 1.0 - total)


def _neighbor_agreement(pure: FloatArray, cells: CellTable, class_prior: FloatArray) -> float:
    """Say how alike a subject's two nearest prototypes are in class: 0 as by chance, 1 always.

    Cohen's kappa (1960, Educational and Psychological Measurement 20, 37) over the subjects with
    two prototypes that have a class; 0 without any.
    """
    best, second = pure[cells.best], pure[cells.second]  # (N, C), rows of zeros where unknown
    total = float(best.sum(axis=1) @ second.sum(axis=1))
    chance = float(class_prior @ class_prior)
    if total <= 0.0 or chance >= 1.0:
        return 0.0
    alike = float((best * second).sum()) / total
    return max(0.0, (alike - chance) / (1.0 - chance))


def project_cells(
    cell_probabilities: FloatArray,
    cells: CellTable,
    weights: Membership,
    *,
    class_prior: FloatArray,
    mixed_class: int | None = None,
    cell_is_known: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """Give every subject the classes of its prototypes as far as it is a member.

    Parameters
    ----------
    cell_probabilities : ndarray, float64, (n_cells, K)
        Class probabilities of prototypes.
    cells : CellTable
        Places of N subjects.
    weights : Membership
        From `membership`.
    class_prior : ndarray, float64, (C,)
        Class frequencies in the catalog; C is K, less one if there is a mixed class.
    mixed_class : int, optional
        Index among the K classes of "mixed", whose probability spreads as `class_prior`.
    cell_is_known : ndarray of bool, (n_cells,), optional
        Prototypes that have votes; the others say nothing. Where only the best one speaks, the
        second's share goes to it as far as the two agree elsewhere on the map (Cohen's kappa): a
        neighbor without votes does not make a row unsure. By default all.

    Returns
    -------
    ndarray, float64, (N, C)
        Probabilities; sums to 1 over the subjects' classes ("mixed" is none).

    Raises
    ------
    InputError
        If shapes do not fit each other.
    """
    if len(cell_probabilities) != cells.n_cells:
        raise InputError(
            f"cell_probabilities must have {cells.n_cells} rows, got {len(cell_probabilities)}"
        )
    pure = np.asarray(cell_probabilities, dtype=float)
    if mixed_class is not None:
        pure = np.delete(pure, mixed_class, axis=1)
    if class_prior.shape != (pure.shape[1],):
        raise InputError(f"class_prior must have {pure.shape[1]} entries, got {class_prior.shape}")
    best, second = weights.best, weights.second
    if cell_is_known is not None:
        pure = pure * cell_is_known[:, None]
        is_left = cell_is_known[cells.best] & ~cell_is_known[cells.second]
        best = best + second * is_left * _neighbor_agreement(pure, cells, class_prior)
    told = best[:, None] * pure[cells.best] + second[:, None] * pure[cells.second]
    untold = 1.0 - told.sum(axis=1, keepdims=True)
    total = told + untold.clip(0.0) * class_prior
    share: FloatArray = total / total.sum(axis=1, keepdims=True)
    return share


def fit_trust(
    cell_probabilities: FloatArray,
    cells: CellTable,
    direct_log_likelihood: FloatArray,
    *,
    class_prior: FloatArray,
    mixed_class: int | None = None,
    cell_is_known: NDArray[np.bool_] | None = None,
    mean: float = 0.85,
    strength: float = 10.0,
    half_distance: float = 5.0,
    fuzziness: float = 1.5,
) -> float:
    """Learn how far to trust prototypes from subjects that were voted on themselves.

    Maximizes ``sum_n log sum_c pi_n(c; trust) L_n(c)`` times a Beta prior over a grid of trusts,
    with pi from `project_cells` and L the likelihood of the subject's own votes.

    Parameters
    ----------
    cell_probabilities, cells, class_prior, mixed_class, cell_is_known, half_distance, fuzziness
        As in `project_cells` and `membership`; all subjects, whether voted on or not.
    direct_log_likelihood : ndarray, float64, (N, C)
        From `dawid_skene.vote_log_likelihood`; a row of zeros (no vote) has no say.
    mean, strength : float, optional
        Mean of the Beta prior and the pseudo-subjects behind it.

    Returns
    -------
    float
        Between 0.01 and 0.99.
    """
    full = membership(cells, half_distance=half_distance, fuzziness=fuzziness)
    voted = np.flatnonzero(direct_log_likelihood.any(axis=1))
    log_likelihood = direct_log_likelihood[voted]
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    projected = project_cells(
        cell_probabilities,
        cells,
        full,
        class_prior=class_prior,
        mixed_class=mixed_class,
        cell_is_known=cell_is_known,
    )
    trusted = (projected[voted] * likelihood).sum(axis=1)
    distrusted = likelihood @ class_prior
    grid = np.linspace(0.01, 0.99, 99)
    evidence = np.array([np.log(t * trusted + (1.0 - t) * distrusted).sum() for t in grid])
    evidence += strength * (mean * np.log(grid) + (1.0 - mean) * np.log1p(-grid))
    return float(grid[np.argmax(evidence)])
