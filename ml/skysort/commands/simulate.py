"""`skysort simulate`: what a catalog of labelled images costs, tried with invented volunteers."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skysort.commands.arguments import (
    Commands,
    add_device,
    add_force,
    add_images,
    check_target,
    grid_shape,
    positive_float,
    positive_number,
    share,
    whole_number,
)
from skysort.commands.progress import ProgressLine
from skysort.errors import InputError

if TYPE_CHECKING:
    from skysort.commands.cost_study import Outcome
    from skysort.commands.label_table import Labels
    from skysort.consensus.experiment import Campaign
    from skysort.consensus.simulation import Crowd
    from skysort.images.field_of_view import FieldOfView
    from skysort.images.stacks import OpenStack
    from skysort.som.polar_som import PolarSOM

#: Images are made smaller if they are more than so many pixels across.
SIZE = 64
#: By default a prototype for so many images, and a map of at most so many rows and columns.
IMAGES_PER_PROTOTYPE, MOST_ROWS = 20, 10
EPOCHS = 20
#: Images that are looked at to find how far sources reach, and that are read at once.
SAMPLE, CHUNK = 500, 64
#: Cells of all confusion matrices together; an id column has as many labels as rows.
MOST_CELLS = 50_000_000


@dataclass(frozen=True)
class _Prepared:
    """Images as the map sees them, and how they came to be so."""

    pixels: NDArray[np.float32]  # (N, C, H, H)
    field: "FieldOfView"
    side: int


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "simulate",
        help="try with invented volunteers what a catalog costs",
        description="Sort labelled images, let invented volunteers answer questions about "
        "prototypes, grids and single images, merge, and ask again where an answer is worth most. "
        "Print for each budget of votes per image how good the catalog is, beside single images "
        "asked adaptively without a machine, copied labels of prototypes, and majorities of 5 and "
        "of 20 votes by the same volunteers.",
        epilog="LABELS.csv has a header. The class stands in the column label (or class, or "
        "truth), or else in the last one. Rows are in the order of the images, unless a column "
        "index of whole numbers says which image each one means, from 0. Volunteers' effort is "
        "uneven as in real projects (Gini coefficient about 0.9), and so is their skill by class. "
        "Equal seeds give equal results.",
    )
    add_images(parser, usual="sqrt-1")
    parser.add_argument("labels", type=Path, metavar="LABELS.csv", help="also compressed by gzip")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.json")
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="a .svg or .png of the costs (default: OUT.svg beside OUT.json)",
    )
    _add_crowd(parser)
    _add_map(parser)
    add_device(parser)
    add_force(parser)
    parser.set_defaults(run=run)


def _add_crowd(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--volunteers",
        type=positive_number,
        default=200,
        metavar="N",
        help="how many there are (default: %(default)s)",
    )
    for name, usual, said in (
        ("--skill", 0.75, "mean chance of naming the true class, spammers apart"),
        ("--anonymous", 0.25, "part of the volunteers that is new and less practised"),
        ("--spammers", 0.05, "part that answers without looking"),
    ):
        parser.add_argument(
            name, type=share, default=usual, metavar="SHARE", help=f"{said} (default: %(default)s)"
        )
    parser.add_argument(
        "--budgets",
        type=_budgets,
        default=(0.1, 0.3, 1.0, 2.0, 4.0),
        metavar="B,B,...",
        help="votes per image after which to look (default: 0.1,0.3,1,2,4)",
    )
    parser.add_argument(
        "--seeds",
        type=_seeds,
        default=(1, 2, 3),
        metavar="S,S,...",
        help="one crowd for each; the first is also that of the map (default: 1,2,3)",
    )


def _add_map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grid",
        type=grid_shape,
        metavar="ROWSxCOLUMNS",
        help="prototypes (default: 10x10, less below 2,000 images)",
    )
    parser.add_argument(
        "--epochs",
        type=positive_number,
        default=EPOCHS,
        metavar="N",
        help="passes over all images (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=positive_number,
        default=SIZE,
        metavar="PIXELS",
        help="larger images are cut to the middle where the sources are and averaged down to so "
        "many pixels across (default: %(default)s)",
    )


def _budgets(text: str) -> tuple[float, ...]:
    """Read numbers above 0 between commas, each once."""
    return tuple(sorted({positive_float(part.strip()) for part in text.split(",")}))


def _seeds(text: str) -> tuple[int, ...]:
    """Read whole numbers between commas, each once, in their order."""
    return tuple(dict.fromkeys(whole_number(part.strip()) for part in text.split(",")))


def run(options: argparse.Namespace) -> str:
    """Sort, ask in many ways, write and print what it cost."""
    from skysort.commands.cost_study import tables
    from skysort.commands.engine import check_device, open_images
    from skysort.commands.label_table import read_labels
    from skysort.images.recipes import DEFAULT_RECIPE

    plot = _check_targets(options)
    check_device(options.device)
    images = open_images(options.images, recipe=options.recipe or DEFAULT_RECIPE)
    labels = read_labels(options.labels, len(images))
    _check_size(options, labels)
    crowds = _crowds(options, labels)
    say = ProgressLine().say
    say(_about_labels(options, labels))
    prepared = _prepare(images, options.size)
    say(_about_images(options, images, prepared))
    say(_about_crowds(crowds))
    outcomes = _try_all(options, _campaign(options, labels, prepared), crowds)
    _write(options, plot, _report(options, images, labels, prepared, outcomes, crowds), outcomes)
    rarest = labels.classes[int(np.bincount(labels.number).argmin())]
    spread = "; mean ± standard deviation over the seeds" if len(options.seeds) > 1 else ""
    return (
        f"{tables(outcomes, options.budgets)}\n\nThe rarest class is {rarest}{spread}.\n"
        f"{options.output}, {plot}"
    )


def _check_targets(options: argparse.Namespace) -> Path:
    """Check both files to write, and give the name of the plot."""
    from skysort.images.cost_plot import FORMATS

    plot: Path = options.plot or options.output.with_suffix(".svg")
    if plot.suffix.lower().lstrip(".") not in FORMATS:
        raise InputError(f"--plot must end in .svg or .png, got {plot}")
    if plot == options.output:
        raise InputError(f"{plot} cannot be both, results and plot; name another with --plot")
    for path in (options.output, plot):
        check_target(path, force=options.force)
    return plot


def _check_size(options: argparse.Namespace, labels: "Labels") -> None:
    if options.volunteers * len(labels.classes) ** 2 > MOST_CELLS:
        raise InputError(
            f"{options.labels} has {len(labels.classes):,} different labels in its column "
            f"{labels.column}, too many for the confusion matrices of {options.volunteers:,} "
            "volunteers; is it a class?"
        )


def _keys(labels: "Labels") -> tuple[str, ...]:
    """Name classes by number, for one called "mixed" would be another answer of the crowd."""
    return tuple(str(k) for k in range(len(labels.classes)))


def _crowds(options: argparse.Namespace, labels: "Labels") -> list["Crowd"]:
    from skysort.consensus.simulation import simulate_crowd

    return [
        simulate_crowd(
            options.volunteers,
            _keys(labels),
            skill=options.skill,
            anonymous=options.anonymous,
            spammers=options.spammers,
            seed=seed,
        )
        for seed in options.seeds
    ]


def _about_crowds(crowds: list["Crowd"]) -> str:
    from skysort.consensus.simulation import gini

    said = ", ".join(f"{gini(crowd.effort):.2f}" for crowd in crowds)
    return f"{len(crowds[0].effort):,} volunteers; Gini coefficient of their effort: {said}"


def _about_labels(options: argparse.Namespace, labels: "Labels") -> str:
    counts = np.bincount(labels.number)
    named = ", ".join(
        f"{label} {count:,}" for label, count in zip(labels.classes, counts, strict=True)
    )
    way = "paired by index" if labels.is_indexed else "in the order of the images"
    return f"{options.labels}: column {labels.column}, {way}: {named}"


def _prepare(images: "OpenStack", size: int) -> _Prepared:
    """Read all images, cut and averaged down if they are large, and prepared by their recipe."""
    from skysort.images.field_of_view import choose_field, signal_radius

    n, side = len(images), images.image_shape[1]
    recipe, raw = images.recipe, images.as_stored()
    radius = side / 2
    if side > size:
        sample = np.unique(np.linspace(0, n - 1, SAMPLE).astype(int))
        radius = signal_radius(
            raw.take(sample[k : k + CHUNK]) for k in range(0, len(sample), CHUNK)
        )
    field = choose_field(side, radius, size)
    pixels = np.empty((n, images.image_shape[0], field.size, field.size), dtype=np.float32)
    for start in range(0, n, CHUNK):
        part = raw[start : start + CHUNK]
        is_blank = ~np.isfinite(part).any(axis=(1, 2, 3))
        if is_blank.any():
            raise InputError(
                f"{images.name}: image {start + int(is_blank.argmax())} is blank, it has no pixel "
                "that is a number"
            )
        seen = field(part)
        pixels[start : start + CHUNK] = seen if recipe is None else recipe(seen)
    return _Prepared(pixels, field, side)


def _about_images(options: argparse.Namespace, images: "OpenStack", prepared: _Prepared) -> str:
    field, side = prepared.field, prepared.side
    way = f"{side} x {side} pixels"
    if field.width < side:
        way += f", of which the middle {field.width} x {field.width} hold the sources"
    if field.factor > 1:
        way += f", averaged down by {field.factor} to {field.size} x {field.size}"
    recipe = "as they are" if images.recipe is None else f"recipe {images.recipe}"
    return f"{options.images}: {len(images):,} images of {way}; {recipe}"


def _grid(options: argparse.Namespace, n_images: int) -> tuple[int, int]:
    if options.grid is not None:
        rows, columns = options.grid
        return int(rows), int(columns)
    rows = min(MOST_ROWS, max(2, round((n_images / IMAGES_PER_PROTOTYPE) ** 0.5)))
    return rows, rows


def _campaign(options: argparse.Namespace, labels: "Labels", prepared: _Prepared) -> "Campaign":
    """Train the map, find every image's place, and describe it by invariant features."""
    from skysort.consensus.experiment import Campaign
    from skysort.consensus.kernel_map import fit_kernel_map
    from skysort.consensus.projection import CellTable
    from skysort.som.features import prototype_distances, ring_power

    pixels, progress = prepared.pixels, ProgressLine()
    som = _train(options, pixels, progress)
    places = som.project(pixels)
    blocks = [prototype_distances(som, pixels), ring_power(pixels, som.config.rings)]
    cells = CellTable(
        places.best.astype(np.int64),
        places.second.astype(np.int64),
        places.distance.astype(float),
        places.second_distance.astype(float),
        som.config.grid.n_units,
    )
    features = fit_kernel_map(blocks, seed=options.seeds[0]).transform(blocks)
    progress.end()
    return Campaign(labels.number, _keys(labels), cells, features)


def _train(
    options: argparse.Namespace, pixels: NDArray[np.float32], progress: ProgressLine
) -> "PolarSOM":
    from skysort.som.polar_som import PolarSOM, SOMConfig

    rows, columns = _grid(options, len(pixels))
    _, channels, height, width = pixels.shape
    config = SOMConfig(
        image_shape=(channels, height, width),
        rows=rows,
        columns=columns,
        epochs=options.epochs,
        seed=options.seeds[0],
    )
    som = PolarSOM(config, device=options.device)
    history = som.fit(pixels, on_progress=progress)
    error = history[-1].quantization_error
    progress.say(f"map of {rows} x {columns} prototypes: quantization error {error:.4f}")
    return som


def _try_all(
    options: argparse.Namespace, campaign: "Campaign", crowds: list["Crowd"]
) -> list["Outcome"]:
    from skysort.commands.cost_study import MAJORITIES, study

    progress = ProgressLine(unit="votes")
    for votes_each in MAJORITIES:
        if votes_each > options.volunteers:
            progress.say(f"no majority of {votes_each}: there are {options.volunteers} volunteers")
    outcomes: list[Outcome] = []
    for k, (seed, crowd) in enumerate(zip(options.seeds, crowds, strict=True)):

        def tell(done: int, total: int, before: int = k) -> None:
            progress(before * total + done, len(options.seeds) * total)

        outcomes += study(campaign, crowd, options.budgets, seed=seed, on_progress=tell)
    progress.end()
    for outcome in outcomes:
        if outcome.n_votes < outcome.n_wanted:
            progress.say(_ended_early(outcome))
    return outcomes


def _ended_early(outcome: "Outcome") -> str:
    return (
        f"seed {outcome.seed}, {outcome.method}: ended at {outcome.votes_per_subject:.3g} of "
        f"{outcome.budget:g} votes per subject; nobody sees anything twice"
    )


def _report(
    options: argparse.Namespace,
    images: "OpenStack",
    labels: "Labels",
    prepared: _Prepared,
    outcomes: list["Outcome"],
    crowds: list["Crowd"],
) -> dict[str, Any]:
    import torch

    from skysort import __version__
    from skysort.commands.cost_study import summary
    from skysort.consensus.merge import MODEL
    from skysort.consensus.simulation import gini

    counts = np.bincount(labels.number)
    return {
        "versions": {
            "skysort": __version__,
            "model": MODEL,
            "python": sys.version.split()[0],
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "images": {
            "file": str(options.images),
            "shape": list(images.shape),
            "field_of_view": asdict(prepared.field) | {"size": prepared.field.size},
            "recipe": None if images.recipe is None else str(images.recipe),
        },
        "labels": {
            "file": str(options.labels),
            "column": labels.column,
            "paired_by_index": labels.is_indexed,
            "classes": dict(zip(labels.classes, counts.tolist(), strict=True)),
            "rarest": labels.classes[int(counts.argmin())],
        },
        "map": {
            "grid": list(_grid(options, len(images))),
            "epochs": options.epochs,
            "seed": options.seeds[0],
        },
        "crowd": {
            "volunteers": options.volunteers,
            "skill": options.skill,
            "anonymous": options.anonymous,
            "spammers": options.spammers,
            "by_seed": [
                {
                    "seed": seed,
                    "gini_of_effort": gini(crowd.effort),
                    "n_anonymous": int(crowd.is_anonymous.sum()),
                    "n_spammers": int(crowd.is_spammer.sum()),
                }
                for seed, crowd in zip(options.seeds, crowds, strict=True)
            ],
        },
        "budgets": list(options.budgets),
        "ended_early": [_ended_early(o) for o in outcomes if o.n_votes < o.n_wanted],
        "results": summary(outcomes),
    }


def _write(
    options: argparse.Namespace, plot: Path, report: dict[str, Any], outcomes: list["Outcome"]
) -> None:
    from skysort.commands.cost_study import panels
    from skysort.images.cost_plot import draw_cost_plot
    from skysort.images.whole_file import write_whole

    n_seeds = len(options.seeds)
    title = (
        f"{options.images.name}: {report['images']['shape'][0]:,} images, {options.volunteers:,} "
        f"volunteers of skill {options.skill:g}, {n_seeds} crowd{'s' if n_seeds > 1 else ''}"
    )
    is_png = plot.suffix.lower() == ".png"
    picture = draw_cost_plot(panels(outcomes), title=title, file_format="png" if is_png else "svg")
    with write_whole(options.output) as file:
        file.write(json.dumps(report, indent=1, allow_nan=False).encode() + b"\n")
    with write_whole(plot) as file:
        file.write(picture)
