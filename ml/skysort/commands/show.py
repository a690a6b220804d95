"""`skysort show`: a picture of a map."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skysort.commands.arguments import (
    Commands,
    add_device,
    add_force,
    add_map,
    add_recipe,
    check_target,
)
from skysort.commands.progress import ProgressLine

if TYPE_CHECKING:
    from skysort.commands.engine import Engine


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "show",
        help="draw a map: prototypes, U-matrix, hits",
        description="Write a PNG picture of the prototypes in their grid, the U-matrix and, with "
        "--hits or --images, the number of images on each prototype.",
    )
    add_map(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="PICTURE", help="the .png file to write"
    )
    parser.add_argument(
        "--hits",
        type=Path,
        metavar="ASSIGNMENTS",
        help="count the images of this table, which `skysort map` wrote",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="IMAGES",
        help="draw each prototype as the mean of these images on it, aligned",
    )
    add_recipe(parser)
    add_device(parser)
    add_force(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Draw the map."""
    from skysort.commands.assignment_table import read_hits
    from skysort.commands.engine import load_engine
    from skysort.images.map_sheet import draw_map_sheet
    from skysort.images.whole_file import write_whole

    check_target(options.output, force=options.force)
    som = load_engine(options.map, device=options.device)
    config = som.config
    shape = (config.rows, config.columns)
    pictures, counts = som.weights.cpu().numpy(), None
    if options.images is not None:
        pictures, counts = _members(options, som)
    if options.hits is not None:
        counts = read_hits(options.hits, rows=config.rows, columns=config.columns)
    png = draw_map_sheet(
        pictures.reshape(*shape, *config.image_shape),
        title=_title(options.map, shape, counts),
        topology=config.topology,
        u_matrix=som.u_matrix().reshape(shape),
        hits=counts if counts is None else counts.reshape(shape),
    )
    with write_whole(options.output) as file:
        file.write(png)
    return f"{options.output}: {config.rows} x {config.columns} prototypes"


def _title(path: Path, shape: tuple[int, int], counts: NDArray[np.int64] | None) -> str:
    title = f"{path.name}: {shape[0]} x {shape[1]} prototypes"
    return title if counts is None else f"{title}, {counts.sum():,} images"


def _members(
    options: argparse.Namespace, som: "Engine"
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give the mean (K, C, H, W) and the number (K,) of aligned images on each prototype."""
    from skysort.commands.engine import open_images
    from skysort.som.quality import hits

    images = open_images(options.images, recipe=options.recipe, map_path=options.map)
    progress = ProgressLine()
    projection = som.project(images, on_progress=progress)
    progress.end()
    return som.aligned_means(images, projection), hits(projection, som.config.grid)
