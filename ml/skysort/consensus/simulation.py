"""Invents volunteers, to try the whole way before real ones come.

Effort follows what citizen science sees: a few do most of the work. A lognormal distribution has
the Gini coefficient erf(sigma / 2), hence sigma = 2.326 for the 0.9 that Zooniverse projects come
near to. Skill differs from class to class; errors go to the classes that most people confuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError

__all__ = ["Crowd", "gini", "simulate_crowd"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EFFORT_SIGMA = 2.326
#: Spread of volunteers' skill and, within a volunteer, of classes: standard deviations in logit.
SKILL_SPREAD = 0.5
CLASS_SPREAD = 0.4
#: Anonymous volunteers are a little less practised: logit.
ANONYMOUS_LOSS = 0.2
#: Mean share of "cannot tell" among honest answers.
UNSURE_SHARE = 0.03
#: Share of the largest class below which half of all skilled volunteers call a group mixed, and how
#: fast that changes.
MIXED_PURITY = 0.65
MIXED_WIDTH = 0.07
#: Chance that a member of a grid is passed over without a look.
GRID_LAPSE = 0.1
#: A grid is called too mixed by whoever would have to tick more than this share of it.
TOO_MIXED = 0.6
#: Median seconds for an answer, more for each member of a grid, and the spread of its logarithm.
SECONDS = {"prototype": 8.0, "subject": 5.0, "grid": 6.0}
SECONDS_PER_MEMBER = 0.8
SECONDS_SPREAD = 0.6


@dataclass(frozen=True)
class Crowd:
    """Simulated volunteers V who know C classes.

    Attributes
    ----------
    answers : tuple of str
        Keys of what they may say: the classes, then mixed, then unsure.
    effort : ndarray, float64, (V,)
        Share of all votes, sums to 1.
    confusion : ndarray, float64, (V, C, C)
        Probability of naming each class when sure, given the true one.
    unsure : ndarray, float64, (V,)
        Probability of "cannot tell".
    pace : ndarray, float64, (V,)
        Factor on the usual time for an answer.
    is_spammer, is_anonymous : ndarray of bool, (V,)
        Who answers without looking; who has not signed up.
    """

    answers: tuple[str, ...]
    effort: FloatArray
    confusion: FloatArray
    unsure: FloatArray
    pace: FloatArray
    is_spammer: NDArray[np.bool_]
    is_anonymous: NDArray[np.bool_]

    @property
    def n_classes(self) -> int:
        """Number of classes, C."""
        return len(self.answers) - 2

    def pick(self, n: int, rng: np.random.Generator) -> IntArray:
        """Choose who gives the next `n` votes, by effort: (n,)."""
        return rng.choice(len(self.effort), size=n, p=self.effort)

    def answer(
        self, volunteer: ArrayLike, truth_class: ArrayLike, rng: np.random.Generator
    ) -> IntArray:
        """Answer single subjects.

        Parameters
        ----------
        volunteer, truth_class : array_like of int, (n,)
            Who answers and what the subject is; single numbers do for n = 1.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        ndarray, int64, (n,)
            Indices into `answers`, never "mixed".

        Raises
        ------
        InputError
            If a class is not one of the C.
        """
        who, truth = np.broadcast_arrays(np.atleast_1d(volunteer), np.atleast_1d(truth_class))
        if truth.size and not (truth.min() >= 0 and truth.max() < self.n_classes):
            raise InputError(f"truth_class must lie between 0 and {self.n_classes - 1}")
        ladder = np.cumsum(self.confusion[who, truth], axis=1)
        named = (rng.random((len(who), 1)) * ladder[:, -1:] >= ladder).sum(axis=1)
        is_unsure = rng.random(len(who)) < self.unsure[who]
        return np.where(is_unsure, len(self.answers) - 1, named).astype(np.int64)

    def answer_group(
        self, volunteer: ArrayLike, shares: ArrayLike, rng: np.random.Generator
    ) -> IntArray:
        """Answer prototypes or groups, whose members may be of several classes.

        A group is called mixed with a probability that rises as its purity (the share of its
        largest class) falls: one half of the volunteer's skill in that class at a purity of 0.65,
        hardly any at 0.9. Otherwise the largest class is answered like a single subject. Spammers
        do not look.

        Parameters
        ----------
        volunteer : array_like of int, (n,)
            Who answers.
        shares : array_like of float, (n, C)
            Shares of the classes among each group's members; rows sum to 1.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        ndarray, int64, (n,)
            Indices into `answers`.

        Raises
        ------
        InputError
            If `shares` has another shape.
        """
        who, parts = np.atleast_1d(volunteer), np.atleast_2d(np.asarray(shares, dtype=float))
        if parts.shape != (len(who), self.n_classes):
            raise InputError(
                f"shares must have shape ({len(who)}, {self.n_classes}), got {parts.shape}"
            )
        largest, purity = parts.argmax(axis=1), parts.max(axis=1)
        looks_mixed = 1.0 / (1.0 + np.exp((purity - MIXED_PURITY) / MIXED_WIDTH))
        skill = self.confusion[who, largest, largest]
        says_mixed = rng.random(len(who)) < skill * looks_mixed
        named = self.answer(who, largest, rng)
        return np.where(says_mixed & ~self.is_spammer[who], self.n_classes, named)

    def answer_grid(
        self, volunteer: int, truth_class: ArrayLike, label: int, rng: np.random.Generator
    ) -> NDArray[np.bool_] | None:
        """Tick the members of a grid that are not what its label says.

        A member is seen as when it is shown alone, with the same confusions, and ticked if it looks
        like another class; one in ten is passed over, and whoever cannot tell does not tick.

        Parameters
        ----------
        volunteer : int
            Who answers.
        truth_class : array_like of int, (n,)
            What the members are.
        label : int
            Class that the grid names.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        ndarray of bool, (n,), or None
            Ticks; None for "too mixed to say".
        """
        truth = np.atleast_1d(truth_class)
        seen = self.answer(np.full(len(truth), volunteer), truth, rng)
        is_other = (seen != label) & (seen < self.n_classes)
        if not self.is_spammer[volunteer] and is_other.mean() > TOO_MIXED:
            return None
        ticks: NDArray[np.bool_] = is_other & (rng.random(len(truth)) >= GRID_LAPSE)
        return ticks

    def seconds(
        self, volunteer: ArrayLike, kind: str, rng: np.random.Generator, *, n_members: int = 0
    ) -> FloatArray:
        """Draw the lognormal time that answers take.

        Parameters
        ----------
        volunteer : array_like of int, (n,)
            Who answers.
        kind : str
            What is shown: a key of `SECONDS`.
        rng : numpy.random.Generator
            Source of chance.
        n_members : int, optional
            Members of a grid.

        Returns
        -------
        ndarray, float64, (n,)
            Seconds, above 0.

        Raises
        ------
        InputError
            If `SECONDS` has no such kind.
        """
        if kind not in SECONDS:
            raise InputError(f"kind must be one of {', '.join(SECONDS)}, got {kind!r}")
        who = np.atleast_1d(volunteer)
        usual: FloatArray = (SECONDS[kind] + SECONDS_PER_MEMBER * n_members) * self.pace[who]
        return usual * rng.lognormal(0.0, SECONDS_SPREAD, len(who))


def gini(values: ArrayLike) -> float:
    """Measure inequality: 0 if all are equal, near 1 if one has everything.

    Parameters
    ----------
    values : array_like of float, (n,)
        What each has, at least 0.

    Returns
    -------
    float
        The Gini coefficient, 0 to 1 - 1 / n.

    Raises
    ------
    InputError
        If there is no value, one is negative, or all are 0.

    Examples
    --------
    >>> gini([1, 1, 1, 1]), gini([0, 0, 0, 1])
    (0.0, 0.75)
    """
    ranked = np.sort(np.asarray(values, dtype=float))
    n = len(ranked)
    if not n or ranked[0] < 0.0 or not ranked.sum() > 0.0:
        raise InputError("values must be at least 0 and not all 0")
    rank = np.arange(1, n + 1)
    return float((2 * rank - n - 1) @ ranked / (n * ranked.sum()))


def _skill(logit: FloatArray, weight: FloatArray, mean: float) -> FloatArray:
    """Turn logits (V, C) into chances whose mean by weight (V,) is the given one."""
    low, high = -20.0, 20.0
    for _ in range(60):
        shift = (low + high) / 2.0
        chance: FloatArray = 1.0 / (1.0 + np.exp(-(logit + shift)))
        if weight @ chance.mean(axis=1) < mean:
            low = shift
        else:
            high = shift
    return chance


def _honest_confusion(rng: np.random.Generator, skill: FloatArray) -> FloatArray:
    """Rows (V, C, C) with the given skill (V, C); errors follow what the crowd confuses."""
    n_volunteers, n_classes = skill.shape
    if n_classes == 1:
        return np.ones((n_volunteers, 1, 1))
    alike = rng.gamma(1.0, 1.0, (n_classes, n_classes))
    errors = rng.gamma(1.0 + 3.0 * alike, 1.0, (n_volunteers, n_classes, n_classes))
    diagonal = np.arange(n_classes)
    errors[:, diagonal, diagonal] = 0.0
    errors *= (1.0 - skill)[..., None] / errors.sum(axis=2, keepdims=True)
    errors[:, diagonal, diagonal] = skill
    return errors


def _spam_confusion(rng: np.random.Generator, n_volunteers: int, n_classes: int) -> FloatArray:
    """Rows (V, C, C) that do not depend on the truth: any answer, or always the same."""
    favourite = rng.integers(0, n_classes, n_volunteers)
    always = np.eye(n_classes)[favourite]
    any_answer = np.full((n_volunteers, n_classes), 1.0 / n_classes)
    row = np.where(rng.random((n_volunteers, 1)) < 0.5, always, any_answer)
    return np.repeat(row[:, None, :], n_classes, axis=1)


def simulate_crowd(
    n_volunteers: int,
    classes: Sequence[str],
    *,
    skill: float = 0.75,
    spammers: float = 0.05,
    anonymous: float = 0.25,
    mixed: str = "mixed",
    unsure: str = "unsure",
    seed: int,
) -> Crowd:
    """Invent volunteers with uneven effort and skill.

    Parameters
    ----------
    n_volunteers : int
        Number of volunteers, V.
    classes : sequence of str
        Keys of the C classes of single subjects.
    skill : float, optional
        Mean probability of naming the true class over the honest votes and the classes, between 0
        and 1 (neither included). Volunteers and classes spread about it.
    spammers, anonymous : float, optional
        Probability of a volunteer to be so, from 0 to 1.
    mixed, unsure : str, optional
        Keys of the answers "a mixed group" and "cannot tell".
    seed : int
        Equal seeds give equal crowds.

    Returns
    -------
    Crowd
        Who they are; their votes need a generator of their own.

    Raises
    ------
    InputError
        If there is nobody, no class, or a share is out of range.

    Examples
    --------
    >>> crowd = simulate_crowd(50, ["fri", "frii"], seed=1)
    >>> crowd.answers, crowd.confusion.shape
    (('fri', 'frii', 'mixed', 'unsure'), (50, 2, 2))
    """
    if n_volunteers < 1:
        raise InputError(f"n_volunteers must be at least 1, got {n_volunteers}")
    if not classes:
        raise InputError("classes must name at least one class")
    if not 0.0 < skill < 1.0:
        raise InputError(f"skill must lie between 0 and 1, got {skill}")
    for name, share in (("spammers", spammers), ("anonymous", anonymous)):
        if not 0.0 <= share <= 1.0:
            raise InputError(f"{name} must lie between 0 and 1, got {share}")
    rng = np.random.default_rng(seed)
    n_classes = len(classes)
    is_anonymous = rng.random(n_volunteers) < anonymous
    is_spammer = rng.random(n_volunteers) < spammers
    effort = rng.lognormal(0.0, EFFORT_SIGMA, n_volunteers)
    logit = rng.normal(0.0, SKILL_SPREAD, n_volunteers) - ANONYMOUS_LOSS * is_anonymous
    by_class = logit[:, None] + rng.normal(0.0, CLASS_SPREAD, (n_volunteers, n_classes))
    weight = effort if is_spammer.all() else effort * ~is_spammer
    honest = _honest_confusion(rng, _skill(by_class, weight / weight.sum(), skill))
    spam = _spam_confusion(rng, n_volunteers, n_classes)
    return Crowd(
        answers=(*classes, mixed, unsure),
        effort=effort / effort.sum(),
        confusion=np.where(is_spammer[:, None, None], spam, honest),
        unsure=np.where(is_spammer, 0.0, rng.beta(1.0, 1.0 / UNSURE_SHARE - 1.0, n_volunteers)),
        pace=rng.lognormal(0.0, 0.3, n_volunteers),
        is_spammer=is_spammer,
        is_anonymous=is_anonymous,
    )
