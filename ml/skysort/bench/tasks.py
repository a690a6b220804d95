"""The runs of the bench, each in an interpreter of its own: plain data in, plain data out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from skysort.bench.agreement import Agreement, compared
from skysort.bench.brute_force import BilinearBruteForceSOM, BruteForceSOM
from skysort.bench.measuring import Cost, MachineRates, WorkCounter, machine_rates, measured
from skysort.som.base import SOM
from skysort.som.checkpoint import load_map
from skysort.som.config import SOMConfig
from skysort.som.exact import ExactSOM
from skysort.som.polar_som import PolarSOM
from skysort.som.projection import Projection

__all__ = [
    "ENGINES",
    "Place",
    "Placed",
    "Task",
    "judge_maps",
    "judge_places",
    "project",
    "rates",
    "train",
]

FAST: Final = "fast"
EXACT: Final = "exact"
BRUTE_FORCE: Final = "brute force"
BILINEAR: Final = "brute force, bilinear"
#: What the fast engine is compared with.
PEERS: Final = (EXACT, BRUTE_FORCE, BILINEAR)
PINK_RULE: Final = "PINK's rule"
ENGINES: Final[dict[str, type[SOM]]] = {
    FAST: PolarSOM,
    EXACT: ExactSOM,
    BRUTE_FORCE: BruteForceSOM,
    BILINEAR: BilinearBruteForceSOM,
    PINK_RULE: ExactSOM,
}
#: Images whose operations are counted: counting itself takes time, so it is done apart.
COUNTED: Final = 128


@dataclass(frozen=True)
class Place:
    """Where a task computes."""

    device: str
    threads: int

    def enter(self) -> None:
        """Let torch use so many threads."""
        torch.set_num_threads(self.threads)


@dataclass(frozen=True)
class Task:
    """One engine's work on images start to stop of a `.npy` cube.

    Attributes
    ----------
    engine : str
        A key of `ENGINES`.
    images : path
        float32 (N, C, H, W).
    start, stop : int
        Which of them.
    map : path
        Written by training, read by projection.
    """

    engine: str
    images: Path
    start: int
    stop: int
    map: Path

    def read(self) -> NDArray[np.float32]:
        """Open the images; they are read from the disk when they are used."""
        cube: NDArray[np.float32] = np.load(self.images, mmap_mode="r")[self.start : self.stop]
        return cube


@dataclass(frozen=True)
class Placed:
    """What projecting gave and cost, and how much an image needs of the machine."""

    projection: Projection
    cost: Cost
    flops: float
    moved_bytes: float


def rates(place: Place) -> MachineRates:
    """Measure what the machine can do."""
    place.enter()
    return machine_rates(place.device)


def train(task: Task, config: SOMConfig, place: Place) -> Cost:
    """Train a map and write it."""
    place.enter()
    images = task.read()
    som = ENGINES[task.engine](config, device=place.device)
    _, cost = measured(lambda: som.fit(images), place.device)
    som.save(task.map)
    return cost


def project(task: Task, place: Place) -> Placed:
    """Project images on a map; what torch does is counted on a few of them afterwards."""
    place.enter()
    images = task.read()
    som = ENGINES[task.engine].load(task.map, device=place.device)
    projection, cost = measured(lambda: som.project(images), place.device)
    few = images[:COUNTED]
    with WorkCounter() as work:
        som.project(few)
    return Placed(projection, cost, work.flops / len(few), work.moved_bytes / len(few))


def judge_places(task: Task, others: dict[str, Projection], place: Place) -> dict[str, Agreement]:
    """Compare projections of the same images on the same map with the exact reference."""
    place.enter()
    return compared(ExactSOM.load(task.map, device=place.device), task.read(), others)


def judge_maps(
    task: Task, maps: dict[str, Path], n_rotations: int, place: Place
) -> dict[str, float]:
    """Quantization error of several maps, all by the exact reference on the same images."""
    place.enter()
    images, errors = task.read(), {}
    for name, path in maps.items():
        state = load_map(path)
        config = SOMConfig(
            image_shape=state.config.image_shape,
            rows=state.config.rows,
            columns=state.config.columns,
            n_rotations=n_rotations,
            window=state.config.window,
        )
        reference = ExactSOM(config, device=place.device)
        reference.weights = torch.from_numpy(state.weights.copy()).to(reference.device)
        errors[name] = float(reference.project(images).distance.mean(dtype=np.float64))
    return errors
