import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysort.errors import InputError
from skysort.som.grid import Grid

GRIDS = st.builds(
    Grid,
    rows=st.sampled_from([2, 4, 6]),
    columns=st.integers(2, 6),
    topology=st.sampled_from(["rectangular", "hexagonal"]),
    periodic=st.booleans(),
)


@given(GRIDS)
def test_distances_are_a_metric(grid):
    d = grid.distances()
    assert np.array_equal(d, d.T)
    assert np.array_equal(d == 0.0, np.eye(grid.n_units, dtype=bool))
    assert (d[:, :, None] <= d[:, None, :] + d.T[None, :, :] + 1e-9).all()


@given(GRIDS)
def test_adjacency_is_mutual_and_never_with_itself(grid):
    adjacent = grid.neighbours()
    assert np.array_equal(adjacent, adjacent.T)
    assert not adjacent.diagonal().any()


@pytest.mark.parametrize(
    ("topology", "centre", "corner"), [("rectangular", 8, 3), ("hexagonal", 6, 2)]
)
def test_units_have_the_neighbours_of_their_topology(topology, centre, corner):
    counts = Grid(5, 5, topology=topology).neighbours().sum(axis=1)
    assert counts[12] == centre
    assert counts[0] == corner


@pytest.mark.parametrize(("topology", "count"), [("rectangular", 8), ("hexagonal", 6)])
def test_every_unit_of_a_torus_is_alike(topology, count):
    grid = Grid(6, 5, topology=topology, periodic=True)
    assert (grid.neighbours().sum(axis=1) == count).all()
    assert np.allclose(np.sort(grid.distances(), axis=1), np.sort(grid.distances()[0]))


def test_odd_hexagonal_rows_are_shifted_by_half_a_step():
    d = Grid(2, 3, topology="hexagonal").distances()
    assert d[0, 3] == pytest.approx(1.0)
    assert d[1, 3] == pytest.approx(1.0)
    assert d[2, 3] == pytest.approx(np.sqrt(3.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0, "columns": 3}, "rows must be at least 1, got 0"),
        ({"rows": 3, "columns": -1}, "columns must be at least 1, got -1"),
        ({"rows": 1, "columns": 1}, r"rows \* columns must be at least 2 prototypes, got 1"),
        (
            {"rows": 3, "columns": 2, "topology": "round"},
            "topology must be one of rectangular, hexagonal, got round",
        ),
        (
            {"rows": 3, "columns": 2, "topology": "hexagonal", "periodic": True},
            "rows must be even on a periodic hexagonal grid, got 3",
        ),
    ],
)
def test_impossible_grid_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Grid(**arguments)
