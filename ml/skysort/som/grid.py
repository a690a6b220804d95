"""Where the units of a map lie and which of them are adjacent.

Rectangular and hexagonal lattices follow Kohonen, Self-Organizing Maps (3rd ed., 2001, sec. 3.1).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = ["Grid", "Topology"]

Topology = Literal["rectangular", "hexagonal"]

ROW_HEIGHT = {"rectangular": 1.0, "hexagonal": np.sqrt(3.0) / 2.0}
#: Farthest adjacent unit: on a square lattice the diagonal neighbours count, as in MiniSom.
REACH = {"rectangular": np.sqrt(2.0), "hexagonal": 1.0}
ROUNDING = 1e-9


@dataclass(frozen=True)
class Grid:
    """A lattice of units one step apart; unit ``row * columns + column``.

    Parameters
    ----------
    rows, columns : int
        At least 1 each and 2 units together, since every image has a best and a second unit.
    topology : {"rectangular", "hexagonal"}
        On a hexagonal grid every odd row is shifted by half a step.
    periodic : bool
        Whether opposite edges touch (a torus); a hexagonal torus needs an even number of rows.

    Raises
    ------
    InputError
        If an argument breaks one of these rules.

    Examples
    --------
    >>> grid = Grid(3, 3)
    >>> int(grid.neighbours()[4].sum())
    8
    >>> float(grid.distances()[0, 2])
    2.0
    >>> float(Grid(3, 3, periodic=True).distances()[0, 2])
    1.0
    """

    rows: int
    columns: int
    topology: Topology = "rectangular"
    periodic: bool = False

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.topology not in ROW_HEIGHT:
            raise InputError(
                f"topology must be one of {', '.join(ROW_HEIGHT)}, got {self.topology}"
            )
        for name, number in (("rows", self.rows), ("columns", self.columns)):
            if number < 1:
                raise InputError(f"{name} must be at least 1, got {number}")
        if self.n_units < 2:
            raise InputError("rows * columns must be at least 2 prototypes, got 1")
        if self.periodic and self.topology == "hexagonal" and self.rows % 2:
            raise InputError(
                f"rows must be even on a periodic hexagonal grid, got {self.rows}; "
                "an odd number of shifted rows does not close"
            )

    @property
    def n_units(self) -> int:
        """Number of prototypes."""
        return self.rows * self.columns

    def positions(self) -> NDArray[np.float64]:
        """Positions (K, 2) of all units as (x, y), in steps."""
        row, column = np.divmod(np.arange(self.n_units), self.columns)
        shift = 0.5 * (row % 2) if self.topology == "hexagonal" else 0.0
        return np.stack([column + shift, row * ROW_HEIGHT[self.topology]], axis=1)

    def distances(self) -> NDArray[np.float64]:
        """Euclidean distances (K, K) in the plane of the grid, or on its torus, in steps."""
        position = self.positions()
        apart = np.abs(position[:, None] - position[None, :])  # (K, K, 2)
        if self.periodic:
            around = np.array([self.columns, self.rows * ROW_HEIGHT[self.topology]])
            apart = np.minimum(apart, around - apart)
        distances: NDArray[np.float64] = np.hypot(apart[..., 0], apart[..., 1])
        return distances

    def neighbours(self) -> NDArray[np.bool_]:
        """Whether two units are adjacent (K, K): 8 around a square unit, 6 around a hexagonal."""
        distances = self.distances()
        adjacent: NDArray[np.bool_] = distances <= REACH[self.topology] + ROUNDING
        np.fill_diagonal(adjacent, val=False)
        return adjacent
