"""`skysort map`: where each image lies on a map."""

import argparse
import io
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skysort.commands.arguments import (
    Commands,
    add_device,
    add_force,
    add_images,
    add_map,
    check_target,
)
from skysort.commands.progress import ProgressLine
from skysort.errors import InputError

if TYPE_CHECKING:
    from skysort.commands.engine import Engine
    from skysort.images.pink import Lattice
    from skysort.images.stacks import OpenStack
    from skysort.som.matching import Match, Matcher
    from skysort.som.projection import Projection

CHUNK_BYTES = 256 * 1024**2  # turned images that are compared with all prototypes at once


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "map",
        help="find the place of each image on a map",
        description="Write a FITS table: best and second-best prototype, distances, angle, flip, "
        "and how strange the image is.",
    )
    add_map(parser)
    add_images(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="ASSIGNMENTS",
        help="the .fits table to write",
    )
    parser.add_argument(
        "--pink-mapping",
        type=Path,
        metavar="FILE",
        help="also write the distances from all prototypes, as PINK does",
    )
    parser.add_argument(
        "--pink-transforms",
        type=Path,
        metavar="FILE",
        help="also write angles and flips for all prototypes, as PINK does",
    )
    add_device(parser)
    add_force(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Project the images and write what is asked for."""
    from skysort.commands.engine import join_team

    with join_team(options.device) as (team, device):
        return _map(options, device=device, leads=team.leads)


def _map(options: argparse.Namespace, *, device: str, leads: bool) -> str:
    """Project as one of a team, whose leader alone tells and writes."""
    from skysort.commands.engine import load_engine, open_images

    files = [options.output, options.pink_mapping, options.pink_transforms]
    for path in filter(None, files):
        check_target(path, force=options.force)
    som = load_engine(options.map, device=device)
    wants_pink = bool(options.pink_mapping or options.pink_transforms)
    lattice = _pink_lattice(som, options.map) if wants_pink else None
    images = open_images(options.images, recipe=options.recipe, map_path=options.map)
    progress = ProgressLine(None if leads else io.StringIO())
    projection = som.project(images, on_progress=progress)
    progress.end()
    if not leads:
        return ""
    _write_assignments(options, som, images, projection)
    if lattice is not None:
        _write_pink(options, som, images, lattice)
    counts = np.bincount(projection.best, minlength=som.config.grid.n_units)
    return (
        f"{', '.join(str(path) for path in filter(None, files))}: {len(images)} images on "
        f"{np.count_nonzero(counts)} of {len(counts)} prototypes"
    )


def _write_assignments(
    options: argparse.Namespace, som: "Engine", images: "OpenStack", projection: "Projection"
) -> None:
    from skysort.commands.assignment_table import AssignmentTable, write_table
    from skysort.som.checkpoint import map_checksum
    from skysort.som.outliers import find_outliers

    config = som.config
    outliers = find_outliers(som, images, projection)
    table = AssignmentTable(
        places=np.stack(np.divmod(np.arange(config.grid.n_units), config.columns), axis=1),
        best=projection.best,
        second=projection.second,
        distance=projection.distance,
        second_distance=projection.second_distance,
        outlier_score=outliers.score,
        outlier_rank=outliers.rank,
        angle_rad=projection.angle_rad,
        flip=projection.flip,
        outlier_group=outliers.group,
    )
    about = {
        "MAPROWS": config.rows,
        "MAPCOLS": config.columns,
        "TOPOLOGY": config.topology,
        "WINDOW": config.window,
        "RECIPE": "none" if images.recipe is None else str(images.recipe),
        "MAPSHA": map_checksum(options.map),
    }
    write_table(options.output, table.columns(), about=about)


def _pink_lattice(som: "Engine", path: Path) -> "Lattice":
    from skysort.images.pink import Lattice

    if som.config.topology == "hexagonal":
        raise InputError(
            f"{path} is a rectangle of shifted rows, and a hexagonal map of PINK is a hexagon; "
            "PINK's files are written of rectangular maps only"
        )
    return Lattice(som.config.rows, som.config.columns)


def _write_pink(
    options: argparse.Namespace, som: "Engine", images: "OpenStack", lattice: "Lattice"
) -> None:
    """Compare all images with all prototypes by brute force, for PINK wants each of them."""
    import torch

    from skysort.images.pink import mapping_writer, transforms_writer
    from skysort.som.matching import Matcher
    from skysort.som.stack import read_images

    config, shape = som.config, som.config.image_shape
    weight = torch.tensor(config.channel_weights or (1.0,) * shape[0], device=som.device)
    scale = weight.sqrt().view(-1, 1, 1)  # (C, 1, 1)
    matcher = Matcher(
        som.weights * scale,
        n_rotations=config.n_rotations,
        use_flip=config.use_flip,
        window=config.window,
        radius=config.radius,
    )
    size = max(1, CHUNK_BYTES // matcher.bytes_per_image(shape))
    progress = ProgressLine()
    with ExitStack() as files:
        write_distances = write_transforms = None
        if options.pink_mapping is not None:
            write_distances = files.enter_context(
                mapping_writer(options.pink_mapping, n_images=len(images), lattice=lattice)
            )
        if options.pink_transforms is not None:
            write_transforms = files.enter_context(
                transforms_writer(options.pink_transforms, n_images=len(images), lattice=lattice)
            )
        for start in range(0, len(images), size):
            pixels = read_images(images, start, min(start + size, len(images)), shape)
            match = matcher.match(torch.from_numpy(pixels).to(som.device) * scale)
            if write_distances is not None:
                write_distances(_all_distances(matcher, match))
            if write_transforms is not None:
                write_transforms(match.angle_rad().cpu().numpy(), match.flip().cpu().numpy())
            progress(start + len(pixels), len(images))
    progress.end()


def _all_distances(matcher: "Matcher", match: "Match") -> NDArray[np.float32]:
    """Exact distances (n, K) of images from all prototypes."""
    n_images, n_units = match.squared.shape
    units = match.step.new_tensor(range(n_units))
    columns = [matcher.distances(match, unit.expand(n_images)).cpu().numpy() for unit in units]
    return np.stack(columns, axis=1)
