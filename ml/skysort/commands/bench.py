"""`skysort bench`: the fast engine against the exact reference and brute force, in one run."""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from skysort.commands.arguments import (
    Commands,
    add_device,
    add_recipe,
    grid_shape,
    positive_number,
)
from skysort.commands.progress import ProgressLine
from skysort.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from skysort.bench.course import Plan
    from skysort.som.config import SOMConfig

DEFAULT_SIZE = 64
SEED = 20261123
RECIPE = "sqrt-1"
#: Without --full: what lets the bench end within some six minutes on one core.
FEW_SLOW = 400
FEW_COMPARED = 600
#: Maps of one engine differ by a per cent or so between seeds.
FEW_MAPS, MANY_MAPS = 3, 5
FEW_ROTATIONS = 92
FEW_HELD_OUT = 400
#: With --full.
MANY_SLOW = 1000
MANY_HELD_OUT = 2000


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "bench",
        help="measure speed, memory and quality against brute force",
        description="Train and project with the fast engine, the exact reference and the plain "
        "product of a rotated bank with the prototypes, each in an interpreter of its own, and "
        "print one table with ratios. Slow engines get fewer images; the table says how many.",
    )
    _add_work(parser)
    _add_images(parser)
    add_device(parser)
    parser.add_argument(
        "--threads",
        type=positive_number,
        default=1,
        metavar="N",
        help="of each engine (default: %(default)s, so that CPU seconds are honest)",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="compare maps with all images and angles, and more places; takes long",
    )
    parser.add_argument(
        "--scaling",
        action="store_true",
        help="also time the fast engine with more images and more prototypes",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grid",
        type=grid_shape,
        default=(10, 10),
        metavar="ROWSxCOLUMNS",
        help="prototypes (default: 10x10)",
    )
    parser.add_argument(
        "--rotations",
        type=positive_number,
        default=360,
        metavar="N",
        help="angles of a full turn, a multiple of 4 (default: %(default)s)",
    )
    parser.add_argument(
        "--window",
        choices=("disk", "square"),
        default="disk",
        help="pixels that are compared (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=positive_number,
        default=10,
        metavar="N",
        help="passes over all images (default: %(default)s)",
    )


def _add_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--images",
        type=positive_number,
        default=16000,
        metavar="N",
        help="images that the fast engine trains with (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=positive_number,
        metavar="PIXELS",
        help=f"edge of the images that are made (default: {DEFAULT_SIZE})",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="IMAGES",
        help="draw from these images instead of making some: a .npy cube, a folder of shards, or "
        "PINK's images",
    )
    add_recipe(parser, usual=f"none with --data, else {RECIPE}")


def run(options: argparse.Namespace) -> str:
    """Measure, and give the table."""
    from skysort.bench.course import bench, scaling
    from skysort.bench.tables import as_json, as_text, scaling_text

    progress = ProgressLine()
    with TemporaryDirectory(prefix="skysort-bench-") as folder:
        plan = _plan(options, Path(folder))
        report = bench(plan, progress.say)
        scaled = scaling(plan, progress.say) if options.scaling else []
    if options.json:
        return json.dumps(as_json(plan, report, scaled))
    text = as_text(plan, report)
    return f"{text}\n\n{scaling_text(scaled)}" if scaled else text


def _plan(options: argparse.Namespace, folder: Path) -> "Plan":
    """Check the options and put the images into a file."""
    import numpy as np

    from skysort.bench.course import Plan
    from skysort.bench.tasks import Place
    from skysort.commands.engine import check_device

    place = Place(check_device(options.device), options.threads)
    n_images, full = options.images, options.full
    _check_number(options)
    n_held_out = min(MANY_HELD_OUT if full else FEW_HELD_OUT, n_images // 2)
    images = _images(options, n_images + n_held_out)
    config = _config(options, images)
    path = folder / "images.npy"
    np.save(path, images)
    least = 2 * config.grid.n_units
    return Plan(
        images=path,
        n_images=n_images,
        n_held_out=n_held_out,
        n_slow=min(n_images, max(MANY_SLOW if full else FEW_SLOW, least)),
        n_compared=n_images if full else min(n_images, max(FEW_COMPARED, least)),
        compared_rotations=options.rotations if full else min(options.rotations, FEW_ROTATIONS),
        n_maps=MANY_MAPS if full else FEW_MAPS,
        config=config,
        place=place,
        folder=folder,
    )


def _check_number(options: argparse.Namespace) -> None:
    """Refuse too few images: slow engines train with a part, and scaling goes down to a quarter."""
    rows, columns = options.grid
    least = (8 if options.scaling else 2) * rows * columns
    if options.images < least:
        raise InputError(
            f"--images must be at least {least} for {rows} x {columns} prototypes"
            f"{' with --scaling' if options.scaling else ''}, got {options.images}"
        )


def _config(options: argparse.Namespace, images: "NDArray[np.float32]") -> "SOMConfig":
    from skysort.som.config import SOMConfig

    rows, columns = options.grid
    return SOMConfig(
        image_shape=(images.shape[1], images.shape[2], images.shape[3]),
        rows=rows,
        columns=columns,
        n_rotations=options.rotations,
        window=options.window,
        epochs=options.epochs,
    )


def _images(options: argparse.Namespace, n: int) -> "NDArray[np.float32]":
    """Make images, or draw them from those that were given."""
    import numpy as np

    from skysort.commands.engine import AS_STORED, open_images
    from skysort.images.recipes import get_recipe
    from skysort.synthetic import make_images

    if options.data is None:
        made, _ = make_images(n, size=options.size or DEFAULT_SIZE, seed=SEED)
        recipe = options.recipe or RECIPE
        return made if recipe == AS_STORED else get_recipe(recipe)(made)
    if options.size is not None:
        raise InputError("--size is for images that are made; leave it out with --data")
    stack = open_images(options.data, recipe=options.recipe)
    if len(stack) < n:
        raise InputError(
            f"{options.data} holds {len(stack)} images, but {n} are needed, held-out ones included;"
            " ask for fewer with --images"
        )
    return stack.take(np.random.default_rng(SEED).permutation(len(stack))[:n])
