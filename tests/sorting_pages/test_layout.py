"""Pages draw a map's units where the engine's grid has them."""

import numpy as np
import pytest

from protozoo.sorting.layout import center, extent, neighbours
from protozoo.sorting.models import Sorting
from skysort.som.grid import Grid

MAPS = [
    (rows, columns, topology, is_periodic)
    for rows, columns in [(3, 4), (4, 5), (2, 2), (1, 5)]
    for topology in ("rectangular", "hexagonal")
    for is_periodic in (False, True)
    if not (is_periodic and topology == "hexagonal" and rows % 2)
]


@pytest.mark.parametrize(("rows", "columns", "topology", "is_periodic"), MAPS)
def test_places_and_neighbours_are_those_of_the_engine(rows, columns, topology, is_periodic):
    sorting = Sorting(rows=rows, columns=columns, topology=topology, is_periodic=is_periodic)
    grid = Grid(rows, columns, topology=topology, periodic=is_periodic)
    units = [(row, column) for row in range(rows) for column in range(columns)]
    centers = np.array([center(sorting, *unit) for unit in units])
    np.testing.assert_allclose(centers - 0.5, grid.positions())
    for number, unit in enumerate(units):
        expected = [units[other] for other in np.flatnonzero(grid.neighbours()[number])]
        assert neighbours(sorting, *unit) == expected


@pytest.mark.parametrize(("rows", "columns", "topology", "is_periodic"), MAPS)
def test_every_unit_lies_on_the_sheet(rows, columns, topology, is_periodic):
    sorting = Sorting(rows=rows, columns=columns, topology=topology)
    width, height = extent(sorting)
    centers = [center(sorting, row, column) for row in range(rows) for column in range(columns)]
    assert max(x for x, _ in centers) == pytest.approx(width - 0.5)
    assert max(y for _, y in centers) == pytest.approx(height - 0.5)
