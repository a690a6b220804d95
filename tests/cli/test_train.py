"""`skysort train` makes a map, says how it goes, and loses nothing that was done."""

import re

import numpy as np
import pytest

from skysort.cli import main
from skysort.commands import engine
from skysort.som.checkpoint import load_map, map_checksum

OPTIONS = ["--grid", "2x3", "--epochs", "2", "--rotations", "16"]


def train(images_path, output, *more):
    return main(["train", str(images_path), "-o", str(output), *OPTIONS, *more])


def test_it_writes_the_map_that_was_asked_for(tmp_path, images_path, capsys):
    path = tmp_path / "map.safetensors"
    more = ["--seed", "7", "--window", "square", "--topology", "hexagonal", "--periodic"]
    assert train(images_path, path, *more, "--no-flip") == 0
    state = load_map(path)
    config = state.config
    assert (config.rows, config.columns, config.epochs, config.n_rotations) == (2, 3, 2, 16)
    assert (config.seed, config.window, config.topology) == (7, "square", "hexagonal")
    assert config.periodic
    assert not config.use_flip
    assert len(state.history) == 2
    assert np.isfinite(state.weights).all()
    printed = capsys.readouterr()
    error = f"quantization error {state.history[1].quantization_error:.4f}"
    assert printed.out.startswith(f"{path}: 2 x 3 prototypes of 30 images, {error}")
    lines = printed.err.splitlines()
    assert [line.partition(":")[0] for line in lines if line.startswith("epoch")] == [
        "epoch 1 of 2",
        "epoch 2 of 2",
    ]
    assert any(re.match(r"(\d+) of \1 images", line) for line in lines)


def test_equal_seeds_give_equal_maps(tmp_path, images_path):
    for name, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        assert train(images_path, tmp_path / name, "--seed", seed) == 0
    one, same, other = (map_checksum(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same != other


def test_the_recipe_goes_into_the_map(tmp_path, images_path):
    path = tmp_path / "map.safetensors"
    assert train(images_path, path, "--recipe", "sqrt-1") == 0
    assert load_map(path).about == {"recipe": "sqrt-1"}
    assert train(images_path, path, "--recipe", "none", "--force") == 0
    assert load_map(path).about == {}


def test_a_map_is_not_replaced_unasked(trained, images_path, capsys):
    before = map_checksum(trained)
    assert train(images_path, trained, "--seed", "9") == 1
    assert f"skysort: {trained} exists; name another file, or replace it with --force" in (
        capsys.readouterr().err
    )
    assert map_checksum(trained) == before
    assert train(images_path, trained, "--seed", "9", "--force") == 0
    assert map_checksum(trained) != before


@pytest.fixture
def interrupted(tmp_path, images_path, monkeypatch, capsys):
    """A training that Ctrl-C ended in its second epoch."""
    path = tmp_path / "map.safetensors"
    say = engine.Engine.save

    def save_and_interrupt(self, *arguments, **options):
        say(self, *arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine.Engine, "save", save_and_interrupt)
        assert train(images_path, path) == 130
    assert "go on with --resume\n" in capsys.readouterr().err
    assert not path.exists()
    return path


def test_an_interrupted_training_goes_on_to_the_same_map(tmp_path, images_path, interrupted):
    unfinished = tmp_path / "map.safetensors.unfinished"
    assert len(load_map(unfinished).history) == 1
    assert train(images_path, interrupted, "--resume") == 0
    assert not unfinished.exists()
    assert train(images_path, tmp_path / "whole.safetensors") == 0
    assert map_checksum(interrupted) == map_checksum(tmp_path / "whole.safetensors")


def test_an_interrupted_training_is_not_thrown_away_unasked(images_path, interrupted, capsys):
    assert train(images_path, interrupted) == 1
    assert "go on with --resume, or begin anew with --force" in capsys.readouterr().err
    assert train(images_path, interrupted, "--force") == 0


def test_ctrl_c_before_the_first_epoch_says_that_there_is_nothing(
    tmp_path, images_path, monkeypatch, capsys
):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine.Engine, "fit", interrupt)
    assert train(images_path, tmp_path / "map") == 130
    error = capsys.readouterr().err
    assert (
        error == f"\nskysort: stopped before the first epoch was done; {tmp_path}/map was not "
        "written\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--grid", "10"], "must be ROWSxCOLUMNS, as in 10x12, got 10"),
        (["--grid", "0x3"], "must be ROWSxCOLUMNS"),
        (["--epochs", "0"], "must be a whole number, 1 or more, got 0"),
        (["--window", "circle"], "invalid choice: 'circle'"),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path, images_path, capsys, arguments, said):
    with pytest.raises(SystemExit) as stopped:
        train(images_path, tmp_path / "map", *arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rotations", "6"], "n_rotations must be a positive multiple of 4, got 6"),
        (["--grid", "6x6"], "a map of 36 prototypes needs at least as many images, got 30"),
        (["--recipe", "cube-1"], "recipe must be one of"),
        (["--device", "toaster"], "--device toaster cannot be used here"),
        (["--grid", "3x2", "--topology", "hexagonal", "--periodic"], "rows must be even"),
    ],
)
def test_expected_failures_end_with_1_and_a_sentence(
    tmp_path, images_path, capsys, arguments, said
):
    assert train(images_path, tmp_path / "map", *arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("skysort: ")
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "map").exists()


def test_the_target_is_checked_before_any_work(tmp_path, images_path, capsys):
    assert train(tmp_path / "no-images.npy", tmp_path / "no-folder" / "map") == 1
    assert f"there is no folder {tmp_path / 'no-folder'}" in capsys.readouterr().err
    assert train(tmp_path / "no-images.npy", tmp_path) == 1
    assert f"{tmp_path} is a folder; name a file" in capsys.readouterr().err


def test_a_blank_pixel_is_named_with_its_image(tmp_path, capsys):
    images = np.ones((9, 8, 8), np.float32)
    images[4, 2, 2] = np.nan
    np.save(tmp_path / "images.npy", images)
    assert train(tmp_path / "images.npy", tmp_path / "map") == 1
    assert "image 4 has blank (NaN)" in capsys.readouterr().err
