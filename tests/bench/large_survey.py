"""A large survey sorted from shards: time, processor time and memory of the fast engine.

.venv/bin/python tests/bench/large_survey.py [--images 200000] [--epochs 10] [--folder FOLDER]

Subjects are made in batches and written to shards of a temporary folder by a process of its own,
so that the memory told is that of sorting alone: a map is trained and all subjects are projected
on it. Two figures are told: the process's own memory, which cannot be given back, and all that was
resident, with the pages of the shards that the system keeps mapped as long as nobody needs them.
"""

import argparse
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from skysort.bench.measuring import Cost, in_fresh_process, measured
from skysort.images.prepared import PreparedImages
from skysort.images.recipes import get_recipe
from skysort.images.shards import ShardReader, ShardWriter
from skysort.som.config import SOMConfig
from skysort.som.polar_som import PolarSOM
from skysort.synthetic import make_images

SIZE, BATCH, RECIPE = 64, 8192, "sqrt-1"


@dataclass(frozen=True)
class Sorted:
    """What sorting gave and cost."""

    training: Cost
    projection: Cost
    quantization_error: float
    topographic_error: float
    mean_distance: float
    own_bytes: int


class OwnMemory:
    """Largest memory of this process without mapped files, looked at ten times a second."""

    def __init__(self) -> None:
        self.largest = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "OwnMemory":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            lines = Path("/proc/self/status").read_text().splitlines()
            own = next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
            self.largest = max(self.largest, own * 1024)


def make_shards(folder: Path, n_images: int) -> int:
    about = {"survey": "synthetic", "licence": "CC0-1.0"}
    with ShardWriter(folder, image_shape=(1, SIZE, SIZE), about=about) as writer:
        for seed, start in enumerate(range(0, n_images, BATCH)):
            images, _ = make_images(min(BATCH, n_images - start), size=SIZE, seed=seed)
            writer.append(images)
    return sum(path.stat().st_size for path in folder.iterdir())


def sort(folder: Path, config: SOMConfig, threads: int) -> Sorted:
    torch.set_num_threads(threads)
    images = PreparedImages(ShardReader(folder), get_recipe(RECIPE))
    som = PolarSOM(config)
    with OwnMemory() as own:
        history, training = measured(lambda: som.fit(images, on_epoch=tell), "cpu")
        projection, projecting = measured(lambda: som.project(images), "cpu")
    return Sorted(
        training,
        projecting,
        history[-1].quantization_error,
        history[-1].topographic_error,
        float(projection.distance.mean(dtype=np.float64)),
        own.largest,
    )


def tell(report) -> None:
    print(f"  pass {report.epoch} of {report.of}: {report.quantization_error:.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="for the shards; a temporary one by default")
    options = parser.parse_args()
    config = SOMConfig(image_shape=(1, SIZE, SIZE), epochs=options.epochs)
    with TemporaryDirectory(dir=options.folder) as folder:
        size = in_fresh_process(make_shards, Path(folder), options.images)
        print(f"{options.images:,} subjects of {SIZE} x {SIZE} in {size / 1e9:.2f} GB of shards")
        found = in_fresh_process(sort, Path(folder), config, options.threads)
    for name, cost, passes in (
        (f"training, {options.epochs} passes", found.training, options.epochs),
        ("projection", found.projection, 1),
    ):
        rate = options.images * passes / cost.cpu_s
        print(
            f"  {name:22} {cost.wall_s:9,.1f} s wall {cost.cpu_s:9,.1f} CPU-s "
            f"{rate:9,.0f} images/CPU-s"
        )
    print(
        f"  peak memory {found.own_bytes / 1e9:.2f} GB of its own, "
        f"{found.projection.memory_bytes / 1e9:.2f} GB with mapped pages of the shards"
    )
    print(
        f"  held-out quantization error {found.quantization_error:.4f}, topographic error "
        f"{found.topographic_error:.4f}, mean distance of all {found.mean_distance:.4f}"
    )


if __name__ == "__main__":
    main()
