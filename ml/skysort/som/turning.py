"""Turn many images by few angles: each angle of the first quadrant is one sparse matrix.

Angles are whole steps of ``2 pi / n_rotations``. Quarter turns and flips only move pixels (see
`skysort.som.rotation`), so they are left to whoever uses the turned images.
"""

import math

import torch
from torch import Tensor

from skysort.som.interpolation import WeightedSums
from skysort.som.rotation import turning_matrix

__all__ = ["Turner"]

#: Images turned at once: what they need still lies in the processor's cache.
AT_ONCE = 128


class Turner:
    """Turns flattened images counter-clockwise, y up, and keeps some of their pixels.

    It takes the images' spline coefficients (`skysort.som.interpolation.spline_coefficients`), so
    that they are computed once for all angles.

    Parameters
    ----------
    size : int
        Edge of the images in pixels.
    n_rotations : int
        Steps of a full turn, a positive multiple of 4.
    keep : Tensor (H, W), bool
        Pixels to keep, D of them.
    device : torch.device
        Where the images are.

    Examples
    --------
    >>> turner = Turner(8, 12, torch.ones(8, 8, dtype=torch.bool), torch.device("cpu"))
    >>> turner.turn(torch.ones(64, 5), 1).shape  # (D, N)
    torch.Size([64, 5])
    """

    def __init__(self, size: int, n_rotations: int, keep: Tensor, device: torch.device) -> None:
        self.size, self.n_rotations, self.device = size, n_rotations, device
        self._keep = keep.cpu().numpy()
        self._matrices: dict[int, WeightedSums] = {}

    @property
    def quarter(self) -> int:
        """Steps of a quarter turn."""
        return self.n_rotations // 4

    def __reduce__(self) -> tuple[type["Turner"], tuple[int, int, Tensor, torch.device]]:
        """Make the matrices anew in copies and pickles, which they would swell."""
        return Turner, (self.size, self.n_rotations, torch.from_numpy(self._keep), self.device)

    def _matrix(self, step: int) -> WeightedSums:
        if step not in self._matrices:
            angle = 2.0 * math.pi * step / self.n_rotations
            matrix = turning_matrix(self.size, angle, self._keep)
            self._matrices[step] = matrix.to(self.device)
        return self._matrices[step]

    def turn(self, columns: Tensor, step: int) -> Tensor:
        """Turn images by `step` steps, the coefficients of one in each column (H * W, N); (D, N).

        Steps from 0 to a quarter turn are meant: every matrix is kept.
        """
        return self._matrix(step) @ columns

    def split(self, steps: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        """Split angles (L,) in steps into a step of the first quadrant and a symmetry (L,).

        Turning by that step and applying the symmetry (`skysort.som.rotation.symmetry_apply`) is
        mirroring first and turning by the whole angle.
        """
        turn = torch.where(flip, -steps, steps) % self.n_rotations
        return turn % self.quarter, turn // self.quarter + 4 * flip

    def groups(self, steps: Tensor) -> tuple[Tensor, list[tuple[int, slice]]]:
        """Sort rows by their step (L,): their order (L,), and which step which part of it has."""
        order = torch.argsort(steps, stable=True)
        counts = torch.bincount(steps, minlength=self.quarter).tolist()
        groups, start = [], 0
        for step, count in enumerate(counts):
            stop = start + count
            parts = range(start, stop, AT_ONCE)
            groups += [(step, slice(first, min(stop, first + AT_ONCE))) for first in parts]
            start = stop
        return order, groups
