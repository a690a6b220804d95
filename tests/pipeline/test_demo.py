"""The demo walks the whole way, and walking it again changes nothing."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

ROOT = Path(__file__).resolve().parents[2]


def demo(folder):
    """Run the command as a user would, on the database that needs no installing."""
    environment = dict(os.environ)
    for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_FOLDER"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--no-serve", "--folder", str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder)


@pytest.fixture(scope="module")
def catalog(walked):
    return Table.read(walked[0] / "release" / "catalog.fits")


def test_the_catalog_has_one_row_for_every_source(catalog):
    with (ROOT / "fixtures" / "survey" / "sources.csv").open() as file:
        sources = {row["id"] for row in csv.DictReader(file)}
    assert set(catalog["id"]) == sources
    assert len(catalog) == len(sources)


def test_probabilities_sum_to_one(catalog):
    names = [name for name in catalog.colnames if name.startswith("p_")]
    assert names == ["p_compact", "p_fri", "p_frii", "p_bent", "p_other", "p_artefact"]
    total = np.sum([catalog[name] for name in names], axis=0)
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_every_column_says_what_it_is(walked):
    header = fits.getheader(walked[0] / "release" / "catalog.fits", 1)
    for number in range(1, header["TFIELDS"] + 1):
        assert header[f"TUCD{number}"]
        assert header[f"TCOMM{number}"]
    assert (header["TTYPE2"], header["TUNIT2"]) == ("ra", "deg")
    assert (header["TTYPE3"], header["TUNIT3"]) == ("dec", "deg")


def test_the_catalog_is_better_than_calling_everything_the_commonest_class(walked, catalog):
    with (ROOT / "fixtures" / "survey" / "truth.csv").open() as file:
        truth = {row["id"]: row["answer"] for row in csv.DictReader(file)}
    right = np.mean([truth[str(row["id"])] == str(row["label"]) for row in catalog])
    commonest = max(list(truth.values()).count(name) for name in set(truth.values())) / len(truth)
    assert right > commonest + 0.2
    assert f"Accuracy:  {right:.3f}" in walked[1]


def test_it_says_that_the_votes_are_simulated(walked):
    assert "simulated volunteers" in walked[1]
    assert "simulated" in (walked[0] / "release" / "README.md").read_text()


def test_a_second_walk_repeats_nothing(walked):
    folder, said = walked
    before = (folder / "release" / "catalog.fits").read_bytes()
    assert demo(folder) == said
    assert (folder / "release" / "catalog.fits").read_bytes() == before
