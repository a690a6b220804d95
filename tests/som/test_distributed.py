"""Two processes make the map that one makes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skysort.som.checkpoint import load_map
from skysort.som.distributed import Team
from skysort.som.polar_som import PolarSOM
from tests.som.shapes import make_blobs
from tests.som.together import MEMORY_BYTES, make_config

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run_together(folder, batch_size, n=2):
    """Run the script in `n` processes; a process that hangs fails the test."""
    common = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "ml")]),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": str(n),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    script = [sys.executable, str(Path(__file__).with_name("together.py"))]
    members = []
    for rank in range(n):
        with (folder / f"errors-{rank}").open("w") as errors:
            members.append(
                subprocess.Popen(
                    [*script, str(folder), str(batch_size)],
                    env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                    stderr=errors,
                )
            )
    try:
        for rank, member in enumerate(members):
            assert member.wait(timeout=60) == 0, (folder / f"errors-{rank}").read_text()
    finally:
        for member in members:
            member.kill()
            member.wait()


@pytest.fixture(scope="module", params=[0, 60], ids=["full batch", "minibatch"])
def together(request, tmp_path_factory):
    """What two processes found, and the map of one process."""
    folder, batch_size = tmp_path_factory.mktemp("team"), request.param
    images = make_blobs(300, 16, seed=1)
    np.save(folder / "images.npy", images)
    run_together(folder, batch_size)
    found = [dict(np.load(folder / f"rank-{batch_size}-{rank}.npz")) for rank in (0, 1)]
    stopped = [int(np.load(folder / f"stopped-{batch_size}-{rank}.npy")) for rank in (0, 1)]
    alone = PolarSOM(make_config(batch_size), memory_bytes=MEMORY_BYTES)
    assert alone._chunk_size < 150, "both processes must have something to do"
    alone.fit(images)
    return found, stopped, alone, images, folder / f"map-{batch_size}"


def test_two_processes_have_one_map(together):
    (first, second), *_ = together
    assert first["size"] == second["size"] == 2
    for name in ("weights", "errors", "reseeded", "best", "distance", "angle_rad"):
        assert np.array_equal(first[name], second[name]), name


def test_two_processes_make_the_map_of_one(together):
    (first, _), _, alone, images, _ = together
    assert np.allclose(first["weights"], alone.weights.numpy(), atol=1e-5)
    errors = [report.quantization_error for report in alone.history]
    assert np.allclose(first["errors"], errors, rtol=1e-5)
    assert first["reseeded"].tolist() == [report.n_reseeded for report in alone.history]
    places = alone.project(images)
    assert np.array_equal(first["best"], places.best)
    assert np.allclose(first["distance"], places.distance, atol=1e-4)


def test_each_process_tells_how_far_all_of_them_are(together):
    (first, second), *_ = together
    for told in (first["told"], second["told"]):
        assert (np.diff(told) >= 0).all()
        assert 0 < told[-1] <= 4 * 300
        assert told[-1] > 0.8 * 4 * 300


def test_all_processes_stop_when_one_is_told_to(together):
    _, stopped, *_ = together
    assert stopped[0] == stopped[1] < 4


def test_checkpoint_holds_the_whole_map(together):
    (first, _), _, _, _, path = together
    state = load_map(path)
    assert np.array_equal(state.weights, first["weights"])
    assert len(state.history) == 4


def test_a_single_process_is_a_team_of_one(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team = Team.from_environment()
    assert (team.rank, team.size, team.leads) == (0, 1, True)
    assert team.share([1, 2, 3]) == [1, 2, 3]
    assert team.gather("own") == ["own"]
    team.leave()
