"""What one of several processes does: trains a map with the others, and writes what it has.

Run as ``python together.py FOLDER BATCH_SIZE`` with the variables that ``torchrun`` sets.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch

from skysort.som.config import SOMConfig
from skysort.som.distributed import Team
from skysort.som.polar_som import PolarSOM

MEMORY_BYTES = 2**19


def make_config(batch_size: int) -> SOMConfig:
    return SOMConfig(
        image_shape=(1, 16, 16),
        rows=3,
        columns=3,
        n_rotations=24,
        epochs=4,
        sigma_end=0.3,
        batch_size=batch_size or None,
    )


def main(folder: Path, batch_size: int) -> None:
    torch.set_num_threads(1)
    images = np.load(folder / "images.npy")
    team = Team.from_environment()
    som, told = PolarSOM(make_config(batch_size), memory_bytes=MEMORY_BYTES), []
    som.fit(
        images,
        on_progress=lambda done, total: told.append(done),
        checkpoint=folder / f"map-{batch_size}",
    )
    places = som.project(images)
    np.savez(
        folder / f"rank-{batch_size}-{os.environ['RANK']}.npz",
        weights=som.weights.numpy(),
        errors=[report.quantization_error for report in som.history],
        reseeded=[report.n_reseeded for report in som.history],
        best=places.best,
        distance=places.distance,
        angle_rad=places.angle_rad,
        told=told,
        size=team.size,
    )
    stopping = PolarSOM(make_config(batch_size), memory_bytes=MEMORY_BYTES)
    stops = iter([False, False, team.rank == 1])  # only one process is told to stop
    stopping.fit(images, should_stop=lambda: next(stops, False))
    np.save(folder / f"stopped-{batch_size}-{os.environ['RANK']}.npy", len(stopping.history))
    team.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
