"""Turn many images by few angles: each angle of the first quadrant is one sparse matrix.

Angles are whole steps of ``2 pi / n_rotations``. Quarter turns and flips only move pixels (see
`skysort.som.rotation`), so they are left to whoever uses the turned images.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from skysort.som.interpolation import WeightedSums, sampling_matrix

__all__ = ["Turner"]

#: Images turned at once: what they need still lies in the processor's cache.
AT_ONCE = 64


class Turner:
    """Turns flattened images counter-clockwise, y up, and keeps some of their pixels.

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

    def _matrix(self, step: int) -> WeightedSums:
        if step not in self._matrices:
            angle, centre = 2.0 * math.pi * step / self.n_rotations, (self.size - 1) / 2.0
            y, x = (part[self._keep] - centre for part in np.mgrid[: self.size, : self.size])
            # The value at p comes from the point that the rotation carries to p: R(-angle) p.
            back_y = math.cos(angle) * y - math.sin(angle) * x + centre
            back_x = math.cos(angle) * x + math.sin(angle) * y + centre
            if step == 0:  # no rounding may interpolate what does not move
                back_y, back_x = back_y.round(), back_x.round()
            shape = (self.size, self.size)
            matrix = sampling_matrix(back_y[:, None], back_x[:, None], shape)
            self._matrices[step] = matrix.to(self.device)
        return self._matrices[step]

    def turn(self, columns: Tensor, step: int) -> Tensor:
        """Turn images, one in each column (H * W, N), by `step` steps; gives (D, N).

        Steps from 0 to a quarter turn and a few beyond are meant: every matrix is kept.
        """
        return self._matrix(step) @ columns

    def split(self, steps: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        """Split angles (L,) in steps into a step of the first quadrant and a symmetry (L,).

        Turning by that step and applying the symmetry (`skysort.som.rotation.symmetry_apply`) is
        mirroring first and turning by the whole angle.
        """
        turn = torch.where(flip, -steps, steps) % self.n_rotations
        return turn % self.quarter, turn // self.quarter + 4 * flip

    def groups(self, steps: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Sort rows by their step (L,): yields (step, rows of this step)."""
        order = torch.argsort(steps, stable=True)
        counts = torch.bincount(steps, minlength=self.quarter).tolist()
        for step, rows in enumerate(torch.split(order, counts)):
            for part in torch.split(rows, AT_ONCE):
                if len(part):
                    yield step, part
