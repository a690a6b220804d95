"""`skysort quality` measures a map."""

import json

import numpy as np
import pytest

from skysort.cli import main
from skysort.commands.engine import Engine
from skysort.images import pink
from skysort.images.stacks import open_stack
from skysort.som.quality import hit_entropy, hits, quantization_error, topographic_error


@pytest.fixture
def expected(trained, images_path):
    som = Engine.load(trained)
    projection = som.project(open_stack(images_path))
    counts = hits(projection, som.config.grid)
    return {
        "images": 30,
        "prototypes": 6,
        "quantization_error": quantization_error(projection),
        "topographic_error": topographic_error(projection, som.config.grid),
        "dead_share": (counts == 0).mean(),
        "hit_entropy": hit_entropy(counts),
    }


def test_it_prints_the_figures_of_the_engine(trained, images_path, expected, capsys):
    assert main(["quality", str(trained), str(images_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx(expected, rel=1e-5)


def test_it_prints_a_line_for_each_figure(trained, images_path, expected, capsys):
    assert main(["quality", str(trained), str(images_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("  ")[0].strip() for line in lines] == [
        name.replace("_", " ") for name in expected
    ]
    values = [float(line.split()[-1]) for line in lines]
    assert values == pytest.approx(list(expected.values()), rel=1e-5)


def test_a_missing_map_is_named(tmp_path, images_path, capsys):
    assert main(["quality", str(tmp_path / "none"), str(images_path)]) == 1
    assert f"skysort: {tmp_path}/none is no file" in capsys.readouterr().err


def test_a_map_of_pink_is_to_be_converted_first(tmp_path, images_path, capsys):
    path = tmp_path / "map.bin"
    pink.write_neurons(path, np.ones((2, 1, 12, 12)), pink.Lattice(1, 2))
    assert main(["quality", str(path), str(images_path)]) == 1
    assert f"is a map of PINK; bring it to ours with `skysort convert {path} NAME" in (
        capsys.readouterr().err
    )
