"""Adds up what speaks for each class of a subject, and says how much came from where.

Every source speaks in logits: the frequency of the classes, prototypes, features, grids and direct
votes add up, and the softmax of the sum is the probability. So the share of a source is no matter
of the order of counting.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skysort.consensus.head import softmax
from skysort.errors import InputError

__all__ = ["SOURCES", "Verdict", "entropy_bits", "weigh"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Where evidence comes from, in the order of `Verdict.shares`.
SOURCES = ("prior", "prototype", "head", "grid", "direct")
PRIOR = SOURCES.index("prior")


@dataclass(frozen=True)
class Verdict:
    """Class probabilities of N subjects and where each label comes from.

    Attributes
    ----------
    probabilities : ndarray, float64, (N, C)
        Sums to 1.
    label : ndarray, int64, (N,)
        Most probable class; the first of equals.
    shares : ndarray, float64, (N, S)
        Share of each of the `SOURCES` in what speaks for the label against the second most
        probable class; sums to 1. What speaks against the label has none; where nothing speaks for
        it, the prior has it all.
    """

    probabilities: FloatArray
    label: IntArray
    shares: FloatArray


def entropy_bits(probabilities: FloatArray) -> FloatArray:
    """Tell how undecided probabilities are.

    Parameters
    ----------
    probabilities : ndarray, float64, (..., C)
        At least 0, sums to 1 along the last axis.

    Returns
    -------
    ndarray, float64, (...)
        Shannon entropy in bits, from 0 to ``log2(C)``.

    Examples
    --------
    >>> import numpy as np
    >>> entropy_bits(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    log = np.log2(np.where(probabilities > 0.0, probabilities, 1.0))
    bits: FloatArray = np.maximum(-(probabilities * log).sum(axis=-1), 0.0)
    return bits


def weigh(logits: FloatArray) -> Verdict:
    """Turn the sources' logits into probabilities, labels and shares.

    Parameters
    ----------
    logits : ndarray, float64, (S, N, C)
        What each of the `SOURCES` adds; a row of equal numbers says nothing.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        If there is another number of sources.

    Examples
    --------
    >>> import numpy as np
    >>> said = np.zeros((5, 1, 2))
    >>> said[1], said[4] = np.log([[0.8, 0.2]]), np.log([[0.2, 0.8]])
    >>> verdict = weigh(said)
    >>> verdict.probabilities.tolist(), verdict.label.tolist(), verdict.shares.tolist()
    ([[0.5, 0.5]], [0], [[0.0, 1.0, 0.0, 0.0, 0.0]])
    """
    if logits.ndim != 3 or len(logits) != len(SOURCES):
        raise InputError(f"logits must have shape ({len(SOURCES)}, N, C), got {logits.shape}")
    total = logits.sum(axis=0)
    n, n_classes = total.shape
    probabilities = softmax(total) if n else total
    label = probabilities.argmax(axis=1)
    shares = np.zeros((n, len(SOURCES)))
    if n and n_classes > 1:
        rows = np.arange(n)
        rest = total.copy()
        rest[rows, label] = -np.inf
        rival = rest.argmax(axis=1)
        lead = logits[:, rows, label] - logits[:, rows, rival]
        shares = np.maximum(lead, 0.0).T
    spoken = shares.sum(axis=1)
    shares[spoken <= 0.0, PRIOR] = 1.0
    shares /= shares.sum(axis=1, keepdims=True)
    return Verdict(probabilities, label, shares)
