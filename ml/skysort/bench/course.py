"""The whole bench in its order: training and projection of each engine, and how they agree.

The fast engine works on all images; the slow ones on fewer, and the table says on how many. Maps
are compared where all engines were trained on the same images with the same passes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Final

from skysort.bench import tasks
from skysort.bench.agreement import Agreement
from skysort.bench.measuring import Cost, MachineRates, in_fresh_process
from skysort.bench.tasks import ENGINES, EXACT, FAST, PEERS, Place, Placed, Task
from skysort.som.config import SOMConfig

__all__ = ["PINK_CPU_S", "Plan", "Report", "Row", "bench", "scaling"]

#: CPU-seconds an image of PINK on one core for 64 x 64 pixels, a 10 x 10 map, 360 rotations and
#: flips: quoted, not measured here.
PINK_CPU_S: Final = 0.45
#: Passes that a slow engine's speed is measured in: the widest neighbourhood and the narrowest.
SLOW_PASSES: Final = 2
#: A held-out sample of fewer images would be replaced by training images, which are slow to place.
LEAST_HELD_OUT: Final = 20


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes
    ----------
    images : path
        A `.npy` cube of n_images to train with, and n_held_out after them.
    n_images, n_held_out : int
        The fast engine trains with and projects all images; places are compared on the others.
    n_slow : int
        Training images for the speed of the slow engines.
    n_compared, compared_rotations, n_maps : int
        Training images and angles where the maps of all engines are compared, and how many maps
        each engine makes of them, from different seeds. PINK's rule, which is slow, makes one.
    config : SOMConfig
        Grid, rotations, passes.
    place : Place
        Where to compute.
    folder : path
        For the maps.
    """

    images: Path
    n_images: int
    n_held_out: int
    n_slow: int
    n_compared: int
    compared_rotations: int
    n_maps: int
    config: SOMConfig
    place: Place
    folder: Path

    def task(self, engine: str, name: str, start: int, stop: int) -> Task:
        """Name the work of one engine on some images with one map."""
        return Task(engine, self.images, start, stop, self.folder / f"{name}.safetensors")


@dataclass(frozen=True)
class Row:
    """What one engine needed for one thing.

    Attributes
    ----------
    engine : str
        A key of `skysort.bench.tasks.ENGINES`.
    n_images, passes, n_rotations : int
        What it had to do.
    cost : Cost
        Of all of it.
    rate : float
        Images (times passes) a CPU-second; a second that passes on an accelerator.
    quantization_error : float, optional
        On the held-out images, by the exact reference; of several maps their mean.
    matrix_share, bandwidth_share : float, optional
        Of the machine's matrix rate and memory bandwidth.
    """

    engine: str
    n_images: int
    passes: int
    n_rotations: int
    cost: Cost
    rate: float
    quantization_error: float | None = None
    matrix_share: float | None = None
    bandwidth_share: float | None = None


@dataclass(frozen=True)
class Report:
    """All that was measured."""

    rates: MachineRates
    training: list[Row]
    projection: list[Row]
    maps: list[Row]
    agreement: dict[str, Agreement]


def bench(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measure everything, one run after the other."""
    say("what the machine can do")
    machine = in_fresh_process(tasks.rates, plan.place)
    training = _training(plan, say)
    projection, agreement = _projection(plan, machine, say)
    return Report(machine, training, projection, _maps(plan, say), agreement)


def _training(plan: Plan, say: Callable[[str], None]) -> list[Row]:
    return [
        _trained(plan, plan.task(FAST, "fast", 0, plan.n_images), plan.config, say),
        *(
            _trained(
                plan,
                plan.task(engine, f"slow {engine}", 0, plan.n_slow),
                replace(plan.config, epochs=min(SLOW_PASSES, plan.config.epochs)),
                say,
            )
            for engine in PEERS
        ),
    ]


def _trained(plan: Plan, task: Task, config: SOMConfig, say: Callable[[str], None]) -> Row:
    n_images, passes = task.stop - task.start, config.epochs
    say(f"{task.engine}: training with {n_images:,} images, {passes} passes")
    config = replace(config, holdout=max(config.holdout, min(0.5, LEAST_HELD_OUT / n_images)))
    cost = in_fresh_process(tasks.train, task, config, plan.place)
    rate = n_images * passes / cost.seconds(plan.place.device)
    return Row(task.engine, n_images, passes, config.n_rotations, cost, rate)


def _projection(
    plan: Plan, machine: MachineRates, say: Callable[[str], None]
) -> tuple[list[Row], dict[str, Agreement]]:
    end = plan.n_images + plan.n_held_out
    held_out = {e: plan.task(e, "fast", plan.n_images, end) for e in (FAST, *PEERS)}
    everything = _projected(plan, plan.task(FAST, "fast", 0, plan.n_images), say)
    placed = {engine: _projected(plan, task, say) for engine, task in held_out.items()}
    say(f"how places of {plan.n_held_out:,} held-out images agree")
    agreement = in_fresh_process(
        tasks.judge_places,
        held_out[EXACT],
        {engine: found.projection for engine, found in placed.items()},
        plan.place,
    )
    timed = placed | {FAST: everything}
    rows = [
        _placing_row(plan, machine, engine, found, agreement[engine])
        for engine, found in timed.items()
    ]
    return rows, agreement


def _projected(plan: Plan, task: Task, say: Callable[[str], None]) -> Placed:
    say(f"{task.engine}: projection of {task.stop - task.start:,} images")
    return in_fresh_process(tasks.project, task, plan.place)


def _placing_row(
    plan: Plan, machine: MachineRates, engine: str, found: Placed, agreement: Agreement
) -> Row:
    n_images = len(found.projection)
    rate = n_images / found.cost.seconds(plan.place.device)
    return Row(
        engine,
        n_images,
        1,
        plan.config.n_rotations,
        found.cost,
        rate,
        quantization_error=agreement.quantization_error,
        matrix_share=found.flops * rate / machine.matrix_flops,
        bandwidth_share=found.moved_bytes * rate / machine.copy_bytes,
    )


def _maps(plan: Plan, say: Callable[[str], None]) -> list[Row]:
    """Train all engines alike, and judge their maps on the held-out images."""
    rows, maps = [], {}
    for engine in ENGINES:
        is_pink = engine == tasks.PINK_RULE
        for number in range(1 if is_pink else plan.n_maps):
            task = plan.task(engine, f"map {engine} {number}", 0, plan.n_compared)
            config = replace(
                plan.config,
                n_rotations=plan.compared_rotations,
                rule="pink" if is_pink else "batch",
                seed=plan.config.seed + number,
            )
            rows.append(_trained(plan, task, config, say))
            maps[f"{engine} {number}"] = task.map
    say(f"quantization error of {len(maps)} maps on {plan.n_held_out:,} held-out images")
    judge = plan.task(EXACT, "fast", plan.n_images, plan.n_images + plan.n_held_out)
    errors = in_fresh_process(tasks.judge_maps, judge, maps, plan.config.n_rotations, plan.place)
    return [_mean(engine, rows, errors) for engine in ENGINES]


def _mean(engine: str, rows: list[Row], errors: dict[str, float]) -> Row:
    """Tell what an engine's first map cost, and the mean error of all of its maps."""
    own = [i for i, row in enumerate(rows) if row.engine == engine]
    each = list(errors.values())
    return replace(rows[own[0]], quantization_error=fmean(each[i] for i in own))


def scaling(plan: Plan, say: Callable[[str], None]) -> list[tuple[str, Row, Row]]:
    """Train and project with the fast engine: a quarter, half and all of the images, three grids.

    Returns
    -------
    list of (str, Row, Row)
        The grid; training; projection.
    """
    quarter, rows, columns = plan.n_images // 4, plan.config.rows, plan.config.columns
    cases = [(rows, columns, quarter * times) for times in (1, 2, 4)]
    cases += [
        (max(1, rows // 2), max(2, columns // 2), 2 * quarter),
        (2 * rows, 2 * columns, 2 * quarter),
    ]
    found = []
    for rows, columns, n_images in cases:
        config = replace(plan.config, rows=rows, columns=columns, epochs=SLOW_PASSES)
        task = plan.task(FAST, f"scale {rows}x{columns} {n_images}", 0, n_images)
        trained = _trained(plan, task, config, say)
        placed = _projected(plan, task, say)
        rate = n_images / placed.cost.seconds(plan.place.device)
        projected = Row(FAST, n_images, 1, config.n_rotations, placed.cost, rate)
        found.append((f"{rows} x {columns}", trained, projected))
    return found
