"""Where the units of a map lie beside each other; the same places as in the engine's grid.

Web processes draw maps but never import the engine's `som`, which brings torch; a test holds both
to one another.
"""

from typing import Final

from protozoo.sorting.models import Sorting

# Rows of hexagons of width 1 lie this far apart: sqrt(3) / 2.
HEXAGON_ROW: Final = 0.8660254037844386
# On a rectangular map the diagonal neighbours count.
_AROUND: Final = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
# Odd rows of a hexagonal map are shifted to the right by half a unit.
_EVEN_ROW: Final = ((-1, -1), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 0))
_ODD_ROW: Final = ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, 0), (1, 1))


def center(sorting: Sorting, row: int, column: int) -> tuple[float, float]:
    """Give the middle of a unit (x to the right, y downwards) in widths of a unit."""
    if sorting.topology == "hexagonal":
        return column + 0.5 + 0.5 * (row % 2), row * HEXAGON_ROW + 0.5
    return column + 0.5, row + 0.5


def extent(sorting: Sorting) -> tuple[float, float]:
    """Give width and height of the map in widths of a unit."""
    if sorting.topology == "hexagonal":
        overhang = 0.5 if sorting.rows > 1 else 0.0
        return sorting.columns + overhang, (sorting.rows - 1) * HEXAGON_ROW + 1.0
    return float(sorting.columns), float(sorting.rows)


def neighbours(sorting: Sorting, row: int, column: int) -> list[tuple[int, int]]:
    """Give (row, column) of the adjacent units."""
    steps: tuple[tuple[int, int], ...] = _AROUND
    if sorting.topology == "hexagonal":
        steps = _ODD_ROW if row % 2 else _EVEN_ROW
    places = [(row + down, column + right) for down, right in steps]
    if sorting.is_periodic:
        places = [(r % sorting.rows, c % sorting.columns) for r, c in places]
        return sorted(set(places) - {(row, column)})
    return [(r, c) for r, c in places if 0 <= r < sorting.rows and 0 <= c < sorting.columns]
