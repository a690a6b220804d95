"""Brightness stretches, the curves that bring faint structure up beside bright peaks.

The asinh stretch follows Lupton et al. (2004, PASP 116, 133).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = ["STRETCHES", "get_stretch"]

FloatArray = NDArray[np.float32]

ASINH_SOFTENING: Final = 0.1  # of the peak: linear below, logarithmic above
LOG_RANGE: Final = 1000.0  # peak over the faintest level that is still told apart, as in DS9


def _linear(values: FloatArray) -> FloatArray:
    return values


def _sqrt(values: FloatArray) -> FloatArray:
    return np.sqrt(values)


def _cbrt(values: FloatArray) -> FloatArray:
    return np.cbrt(values)


def _asinh(values: FloatArray) -> FloatArray:
    scale = np.float32(1.0 / np.arcsinh(1.0 / ASINH_SOFTENING))
    stretched: FloatArray = np.arcsinh(values / np.float32(ASINH_SOFTENING)) * scale
    return stretched


def _log(values: FloatArray) -> FloatArray:
    scale = np.float32(1.0 / np.log1p(LOG_RANGE))
    stretched: FloatArray = np.log1p(values * np.float32(LOG_RANGE)) * scale
    return stretched


#: Every stretch by name. Each takes float32 values in [0, 1] to [0, 1] and keeps 0 and 1.
STRETCHES: Mapping[str, Callable[[FloatArray], FloatArray]] = MappingProxyType(
    {"linear": _linear, "sqrt": _sqrt, "cbrt": _cbrt, "asinh": _asinh, "log": _log}
)


def get_stretch(name: str) -> Callable[[FloatArray], FloatArray]:
    """Find a stretch.

    Parameters
    ----------
    name : str
        A key of `STRETCHES`.

    Returns
    -------
    callable
        From float32 values in [0, 1], any shape, to the same.

    Raises
    ------
    InputError
        If there is no stretch of this name.

    Examples
    --------
    >>> get_stretch("sqrt")(np.array([0.0, 0.25, 1.0], dtype=np.float32)).tolist()
    [0.0, 0.5, 1.0]
    """
    if name not in STRETCHES:
        raise InputError(f"stretch must be one of {', '.join(STRETCHES)}, got {name!r}")
    return STRETCHES[name]
