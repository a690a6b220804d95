import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from skysort.errors import InputError
from skysort.som.checkpoint import load_map, map_checksum, save_map
from skysort.som.exact import ExactSOM, SOMConfig
from tests.som.shapes import make_noise

CONFIG = SOMConfig(
    image_shape=(1, 9, 9),
    rows=2,
    columns=2,
    topology="hexagonal",
    n_rotations=8,
    epochs=2,
    sigma_start=1.5,
)


@pytest.fixture(scope="module")
def som():
    som = ExactSOM(CONFIG)
    som.fit(make_noise(10, size=9))
    return som


def test_map_comes_back_as_it_was(som, tmp_path):
    som.save(tmp_path / "map", about={"survey": "FIRST", "recipe": "sqrt-1"})
    back = ExactSOM.load(tmp_path / "map")
    assert back.config == CONFIG
    assert torch.equal(back.weights, som.weights)
    assert back.history == som.history
    assert back.fingerprint == som.fingerprint
    state = load_map(tmp_path / "map")
    assert state.about == {"survey": "FIRST", "recipe": "sqrt-1"}
    assert state.code_version


def test_equal_maps_are_equal_files(som, tmp_path):
    for name in ("one", "other"):
        som.save(tmp_path / name, about={"survey": "FIRST", "recipe": "sqrt-1"})
    assert map_checksum(tmp_path / "one") == map_checksum(tmp_path / "other")
    assert (
        map_checksum(tmp_path / "one")
        == hashlib.sha256((tmp_path / "one").read_bytes()).hexdigest()
    )


def test_saving_leaves_nothing_but_the_map(som, tmp_path):
    som.save(tmp_path / "map")
    som.save(tmp_path / "map")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["map"]


def test_failed_saving_keeps_the_old_map(som, tmp_path, monkeypatch):
    som.save(tmp_path / "map")
    before = map_checksum(tmp_path / "map")

    def fail(_descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        som.save(tmp_path / "map", about={"survey": "another"})
    assert map_checksum(tmp_path / "map") == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["map"]


@pytest.mark.parametrize("kept", [0, 5, 200, -1])
def test_truncated_map_is_refused_by_name(som, tmp_path, kept):
    path = tmp_path / "short.map"
    som.save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"short\.map is no map written by skysort, or it is trun"):
        load_map(path)


def test_foreign_file_is_refused_by_name(tmp_path):
    save_file({"weights": np.zeros(3, np.float32)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match=r"foreign\.safetensors is no map written by skysort"):
        load_map(tmp_path / "foreign.safetensors")


def test_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="nowhere is no file; expected a map written by skysort"):
        load_map(tmp_path / "nowhere")


def test_other_format_version_is_refused(som, tmp_path, monkeypatch):
    monkeypatch.setattr("skysort.som.checkpoint.FORMAT", "protozoo-map/99")
    som.save(tmp_path / "map")
    monkeypatch.undo()
    with pytest.raises(
        InputError, match="format protozoo-map/99, this version reads protozoo-map/"
    ):
        load_map(tmp_path / "map")


def test_weights_that_do_not_fit_the_header_are_refused(som, tmp_path):
    som.save(tmp_path / "map")
    state = load_map(tmp_path / "map")
    save_map(tmp_path / "map", replace(state, weights=state.weights[:3]))
    with pytest.raises(InputError, match=r"shape \(3, 1, 9, 9\), but its header promises \(4, 1"):
        load_map(tmp_path / "map")
