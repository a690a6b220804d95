"""Audit samples with hidden truth, for the tests of calibration and audit."""

from dataclasses import dataclass

import numpy as np

PRIOR = np.array([0.45, 0.3, 0.15, 0.1])


@dataclass(frozen=True)
class Audit:
    """`said` is `honest` raised to the power of boasting and normalized."""

    said: np.ndarray
    honest: np.ndarray
    truth: np.ndarray
    log_likelihood: np.ndarray


def normalized(values):
    return values / values.sum(axis=1, keepdims=True)


def draw(ladder, rng):
    """One class from each row of cumulative probabilities."""
    return (rng.random(ladder.shape[:-1])[..., None] * ladder[..., -1:] >= ladder).sum(axis=-1)


def make_crowd(rng, *, n_workers=20, skill=0.75, n_classes=4):
    """Confusion matrices (W, C, C): skill differs between people and classes, errors too."""
    logit = np.log(skill / (1 - skill)) + 0.5 * rng.normal(size=(n_workers, n_classes))
    right = 1 / (1 + np.exp(-logit))
    errors = rng.dirichlet(np.full(n_classes, 2.0), size=(n_workers, n_classes))
    errors[:, range(n_classes), range(n_classes)] = 0.0
    errors *= ((1 - right) / errors.sum(axis=2))[..., None]
    return errors + right[..., None] * np.eye(n_classes)


def make_audit(seed, n_rows=200, *, boast=1.0, sharpness=2.0, n_votes=(2, 5), skill=0.75):
    """Audit of a machine that is honest before it boasts; votes by a crowd of known matrices."""
    rng = np.random.default_rng(seed)
    n_classes = len(PRIOR)
    logit = np.log(PRIOR) + sharpness * rng.normal(size=(n_rows, n_classes))
    honest = normalized(np.exp(logit - logit.max(axis=1, keepdims=True)))
    truth = draw(np.cumsum(honest, axis=1), rng)
    crowd = make_crowd(rng, skill=skill)
    worker = rng.permuted(np.tile(np.arange(len(crowd)), (n_rows, 1)), axis=1)[:, : n_votes[1]]
    answer = draw(np.cumsum(crowd[worker, truth[:, None]], axis=2), rng)
    said_by = np.log(crowd[worker, :, answer])  # (rows, votes, classes)
    given = np.arange(n_votes[1]) < rng.integers(n_votes[0], n_votes[1] + 1, (n_rows, 1))
    said = normalized(honest**boast)
    return Audit(said, honest, truth, (said_by * given[..., None]).sum(axis=1))


def certain(truth, n_classes=4):
    """Log likelihood of votes that cannot be wrong."""
    return np.where(np.arange(n_classes) == np.asarray(truth)[:, None], 0.0, -np.inf)
