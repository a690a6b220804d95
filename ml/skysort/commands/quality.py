"""`skysort quality`: how well a map represents images."""

import argparse
import json
from dataclasses import asdict

from skysort.commands.arguments import Commands, add_device, add_images, add_map
from skysort.commands.progress import ProgressLine


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "quality",
        help="measure how well a map represents images",
        description="Print quantization error, topographic error, share of prototypes without "
        "images, and how evenly the others are used.",
    )
    add_map(parser)
    add_images(parser)
    add_device(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Project the images and measure."""
    from skysort.commands.engine import load_engine, open_images
    from skysort.som.quality import map_quality

    som = load_engine(options.map, device=options.device)
    images = open_images(options.images, recipe=options.recipe, map_path=options.map)
    progress = ProgressLine()
    projection = som.project(images, on_progress=progress)
    progress.end()
    grid = som.config.grid
    figures = {
        "images": len(images),
        "prototypes": grid.n_units,
        **asdict(map_quality(projection, grid)),
    }
    if options.json:
        return json.dumps(figures)
    width = max(map(len, figures))
    return "\n".join(
        f"{name.replace('_', ' '):{width}}  {value:.6g}" for name, value in figures.items()
    )
