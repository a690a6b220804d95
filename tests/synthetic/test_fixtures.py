"""The committed survey is what the generator makes."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from skysort.synthetic import QUANTIZATION_JY, make_survey

COMMITTED = Path(__file__).parents[2] / "fixtures" / "survey"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("survey")
    make_survey(folder)
    return folder


def test_holds_the_same_files(fresh):
    assert {path.name for path in fresh.iterdir()} == {path.name for path in COMMITTED.iterdir()}


@pytest.mark.parametrize("table", ["sources.csv", "truth.csv"])
def test_committed_tables_equal_a_fresh_survey(fresh, table):
    assert (COMMITTED / table).read_bytes() == (fresh / table).read_bytes()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_committed_pixels_equal_fresh_ones_within_the_quantization(fresh, number):
    name = f"field-{number}.fits.fz"
    committed, made = fits.getdata(COMMITTED / name), fits.getdata(fresh / name)
    np.testing.assert_allclose(committed, made, rtol=0, atol=1.01 * QUANTIZATION_JY)


def test_whole_folder_stays_below_two_megabytes():
    folder = COMMITTED.parent
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 2_000_000
