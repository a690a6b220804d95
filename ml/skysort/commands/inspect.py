"""`skysort inspect`: what a map file says about itself."""

import argparse
from typing import TYPE_CHECKING

from skysort.commands.arguments import Commands, add_map

if TYPE_CHECKING:
    from skysort.som.checkpoint import MapState


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "inspect",
        help="print what a map file says about itself",
        description="Print a map's settings, origin and quality after each epoch.",
    )
    add_map(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Read the file's header."""
    from skysort.som.checkpoint import load_map, map_checksum

    state = load_map(options.map)
    facts = {**_facts(state), "sha256": map_checksum(options.map)}
    width = max(map(len, facts))
    lines = [f"{name:{width}}  {value}" for name, value in facts.items()]
    return "\n".join([*lines, "", *_history(state)])


def _facts(state: "MapState") -> dict[str, str]:
    config = state.config
    channels, height, width = config.image_shape
    edges = "periodic" if config.periodic else "with edges"
    return {
        "map": f"{config.rows} x {config.columns} prototypes, {config.topology}, {edges}",
        "images": f"{channels} x {height} x {width} pixels, compared in a {config.window}",
        "angles": f"{config.n_rotations}, {'with' if config.use_flip else 'without'} flips",
        "training": f"{config.rule} rule, {len(state.history)} of {config.epochs} epochs, "
        f"seed {config.seed}",
        "data": state.fingerprint,
        "skysort": state.code_version,
        **state.about,
    }


def _history(state: "MapState") -> list[str]:
    rows = [
        f"{report.epoch:5}  {report.sigma:6.2f}  {report.quantization_error:18.4f}  "
        f"{report.topographic_error:17.4f}  {report.dead_share:10.4f}  {report.hit_entropy:11.4f}"
        for report in state.history
    ]
    return [
        "epoch   sigma  quantization error  topographic error  dead share  hit entropy",
        *rows,
    ]
