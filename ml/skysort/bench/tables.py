"""The bench's figures as text."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from skysort.bench.course import PINK_CPU_S, Plan, Report, Row
from skysort.bench.measuring import MachineRates
from skysort.bench.tasks import BILINEAR, BRUTE_FORCE, EXACT, FAST, PEERS, PINK_RULE

__all__ = ["as_json", "as_text", "ratios", "scaling_text"]

NAMES = {
    FAST: "fast engine (PolarSOM)",
    EXACT: "exact reference (ExactSOM)",
    BRUTE_FORCE: "rotated bank x prototypes, bicubic",
    BILINEAR: "rotated bank x prototypes, bilinear",
    PINK_RULE: "PINK's rule (ExactSOM)",
}
BLANK = "-"


def ratios(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Rate of each engine over that of the exact reference and of brute force."""
    rate = {row.engine: row.rate for row in rows}
    return {
        engine: {other: rate[engine] / rate[other] for other in PEERS if other in rate}
        for engine in rate
    }


def as_json(plan: Plan, report: Report, scaled: Sequence[tuple[str, Row, Row]]) -> dict[str, Any]:
    """Plain numbers and words of a report."""
    parts = {"training": report.training, "projection": report.projection, "maps": report.maps}
    return {
        "device": plan.place.device,
        "threads": plan.place.threads,
        "image_shape": plan.config.image_shape,
        "grid": (plan.config.rows, plan.config.columns),
        "n_rotations": plan.config.n_rotations,
        "rates": asdict(report.rates),
        **{name: [asdict(row) for row in rows] for name, rows in parts.items()},
        "ratios": {name: ratios(rows) for name, rows in parts.items()},
        "agreement": {name: asdict(found) for name, found in report.agreement.items()},
        "scaling": [
            {"grid": grid, "training": asdict(trained), "projection": asdict(projected)}
            for grid, trained, projected in scaled
        ],
        "pink_cpu_s_quoted": PINK_CPU_S,
    }


def as_text(plan: Plan, report: Report) -> str:
    """Tables of a report."""
    return "\n\n".join(
        [
            _heading(plan, report.rates),
            _section("Training", report.training, plan),
            _section("Projection on the fast engine's map", report.projection, plan),
            _section("Maps of the same images and passes", report.maps, plan),
            _agreement(report),
            _notes(plan),
        ]
    )


def _heading(plan: Plan, rates: MachineRates) -> str:
    config, place = plan.config, plan.place
    channels, height, width = config.image_shape
    return (
        f"{channels} x {height} x {width} pixels, {config.rows} x {config.columns} prototypes, "
        f"{config.n_rotations} angles and flips, window {config.window}; device {place.device}, "
        f"threads {place.threads}\n"
        f"this machine: {rates.matrix_flops / 1e9:,.0f} GFLOP/s in a large matrix product, "
        f"{rates.copy_bytes / 1e9:,.1f} GB/s in a large copy"
    )


def _section(title: str, rows: Sequence[Row], plan: Plan) -> str:
    on_cpu = plan.place.device == "cpu"
    over = ratios(rows)
    header = [
        title,
        "images",
        "passes",
        "angles",
        "CPU s",
        "wall s",
        "images/CPU-s" if on_cpu else "images/s",
        "x exact",
        "x bicubic",
        "x bilinear",
        "quant. error",
        "peak MB",
        "matrix rate",
    ]
    lines = [
        [
            NAMES[row.engine],
            f"{row.n_images:,}",
            str(row.passes),
            str(row.n_rotations),
            f"{row.cost.cpu_s:,.2f}",
            f"{row.cost.wall_s:,.2f}",
            f"{row.rate:,.1f}",
            f"{over[row.engine][EXACT]:,.2f}",
            f"{over[row.engine][BRUTE_FORCE]:,.2f}",
            f"{over[row.engine][BILINEAR]:,.2f}",
            BLANK if row.quantization_error is None else f"{row.quantization_error:.4f}",
            f"{row.cost.memory_bytes / 1e6:,.0f}",
            _percent(row.matrix_share),
        ]
        for row in rows
    ]
    if not on_cpu:
        header.append("bandwidth")
        for line, row in zip(lines, rows, strict=True):
            line.append(_percent(row.bandwidth_share))
    return _table([header, *lines])


def _percent(share: float | None) -> str:
    return BLANK if share is None else f"{share:.0%}"


def _agreement(report: Report) -> str:
    header = [
        "Places, against the exact reference",
        "same unit",
        "distance error: median",
        "99 %",
        "max",
        "not round",
        "within 1 deg",
        "angle error: median",
        "99 %",
        "max",
    ]
    lines = [
        [
            NAMES[engine],
            f"{found.same_unit:.2%}",
            *(BLANK if error is None else f"{error:.1e}" for error in found.distance_error),
            f"{found.n_not_round:,}",
            BLANK if found.within_degree is None else f"{found.within_degree:.2%}",
            *(BLANK if error is None else f"{error:.2f}" for error in found.angle_error_deg),
        ]
        for engine, found in report.agreement.items()
        if engine != EXACT
    ]
    return _table([header, *lines])


def _notes(plan: Plan) -> str:
    memory = (
        "the largest resident memory of an interpreter of its own, torch included"
        if plan.place.device == "cpu"
        else "the largest memory of torch on the device"
    )
    return (
        "images: times passes in rates, with all that belongs to a run: seeds, reading, reports on "
        "images\nthat are kept out of training. angles: compared per image. quant. error: on "
        f"{plan.n_held_out:,} images that no engine\ntrained with, by the exact reference at "
        f"{plan.config.n_rotations} angles; of maps the mean of {plan.n_maps} seeds, but for "
        f"PINK's rule. peak MB: {memory}.\n"
        f"PINK 2 itself: {PINK_CPU_S} CPU-s an image at 360 angles on one core, "
        f"{1.0 / PINK_CPU_S:.1f} images/CPU-s; quoted, not measured here."
    )


def scaling_text(found: Sequence[tuple[str, Row, Row]]) -> str:
    """Table of times against the number of images and prototypes."""
    header = [
        "Scaling of the fast engine",
        "images",
        "passes",
        "training CPU s",
        "peak MB",
        "projection CPU s",
        "peak MB",
    ]
    lines = [
        [
            grid,
            f"{trained.n_images:,}",
            str(trained.passes),
            f"{trained.cost.cpu_s:,.2f}",
            f"{trained.cost.memory_bytes / 1e6:,.0f}",
            f"{projected.cost.cpu_s:,.2f}",
            f"{projected.cost.memory_bytes / 1e6:,.0f}",
        ]
        for grid, trained, projected in found
    ]
    return _table([header, *lines])


def _table(lines: Sequence[Sequence[str]]) -> str:
    """Put lines of cells in columns, the first to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
