import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skysort import __version__
from skysort.cli import main
from skysort.images.shards import ShardWriter
from skysort.som.checkpoint import MapState, map_checksum, save_map
from skysort.som.config import EpochReport, SOMConfig

ENGINE = Path(__file__).resolve().parents[2] / "ml"


@pytest.fixture
def map_path(tmp_path):
    path = tmp_path / "map.safetensors"
    state = MapState(
        config=SOMConfig(image_shape=(1, 9, 9), rows=2, columns=3, topology="hexagonal", seed=77),
        weights=np.zeros((6, 1, 9, 9), np.float32),
        history=(
            EpochReport(
                epoch=1,
                of=10,
                sigma=1.5,
                step=1.0,
                quantization_error=4.25,
                topographic_error=0.125,
                dead_share=0.5,
                hit_entropy=0.75,
                n_reseeded=0,
            ),
        ),
        fingerprint="f1de11",
        about={"survey": "FIRST"},
    )
    save_map(path, state)
    return path


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"skysort {__version__}\n"


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert "write a small radio survey with known truth" in out
    assert "print what a map file says about itself" in out


def test_synthetic_writes_the_survey_of_its_seed(tmp_path, capsys):
    for name, seed in (("one", "5"), ("same", "5"), ("other", "6")):
        assert main(["synthetic", str(tmp_path / name), "--seed", seed]) == 0
    one, same, other = (
        (tmp_path / name / "sources.csv").read_bytes() for name in ("one", "same", "other")
    )
    assert one == same != other
    n_sources = one.count(b"\n") - 1
    assert f"one: {n_sources} sources, seed 5\n" in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["-1", "one", "1.5"])
def test_synthetic_refuses_a_seed_that_is_no_whole_number(tmp_path, capsys, seed):
    with pytest.raises(SystemExit) as stopped:
        main(["synthetic", str(tmp_path / "survey"), f"--seed={seed}"])
    assert stopped.value.code == 2
    assert f"must be a whole number, 0 or more, got {seed}" in capsys.readouterr().err
    assert not (tmp_path / "survey").exists()


def test_inspect_prints_settings_origin_and_quality(map_path, capsys):
    assert main(["inspect", str(map_path)]) == 0
    out = capsys.readouterr().out
    for expected in (
        "2 x 3 prototypes, hexagonal, with edges",
        "1 x 9 x 9 pixels, compared in a disk",
        "360, with flips",
        "batch rule, 1 of 10 epochs, seed 77",
        "f1de11",
        "FIRST",
        map_checksum(map_path),
    ):
        assert expected in out
    assert out.splitlines()[-1].split() == [
        "1",
        "1.50",
        "4.2500",
        "0.1250",
        "0.5000",
        "0.7500",
    ]


def test_inspect_names_a_file_that_is_no_map(tmp_path, capsys):
    path = tmp_path / "picture.png"
    path.write_bytes(b"no map")
    assert main(["inspect", str(path)]) == 1
    assert f"skysort: {path} is no map written by skysort" in capsys.readouterr().err


@pytest.fixture
def shards(tmp_path):
    folder = tmp_path / "shards"
    with ShardWriter(folder, image_shape=(1, 4, 4), about={}) as writer:
        writer.append(np.ones((3, 1, 4, 4), np.float32))
    return folder


def test_verify_says_that_all_is_well(shards, capsys):
    assert main(["verify", str(shards)]) == 0
    assert capsys.readouterr().out == f"{shards}: 3 images, all as the manifest says\n"


def test_verify_names_a_damaged_shard(shards, capsys):
    path = shards / "shard-00000.fits"
    damaged = bytearray(path.read_bytes())
    damaged[2880] ^= 1
    path.write_bytes(damaged)
    assert main(["verify", str(shards)]) == 1
    assert f"skysort: {path} is damaged" in capsys.readouterr().err


def test_without_a_command_it_shows_the_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_inspect_needs_no_torch(map_path):
    code = (
        "import sys; from skysort.cli import main; main(sys.argv[1:]); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code, "inspect", str(map_path)],
        check=True,
        cwd=ENGINE,
        capture_output=True,
    )


def test_help_needs_neither_torch_nor_astropy():
    code = (
        "import sys; from skysort.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: sys.exit(bool({'torch', 'astropy', 'PIL', 'h5py'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ENGINE, capture_output=True)


def test_ctrl_c_ends_with_130_and_a_sentence(shards, monkeypatch, capsys):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("skysort.images.shards.ShardReader.verify", interrupt)
    assert main(["verify", str(shards)]) == 130
    assert capsys.readouterr().err == "\nskysort: stopped; no file was left half written\n"


def test_a_reader_that_goes_away_ends_it_quietly(map_path):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "skysort.cli", "inspect", str(map_path)],
        cwd=ENGINE,
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert done.returncode == 1
    assert done.stderr == ""
