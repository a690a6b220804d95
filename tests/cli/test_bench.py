"""`skysort bench` prints one table of engines, with ratios that are consistent."""

import json
import os
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
import torch

from skysort.bench import course
from skysort.bench.agreement import compared
from skysort.bench.brute_force import BruteForceSOM
from skysort.bench.measuring import WorkCounter, in_fresh_process, measured
from skysort.bench.tables import ratios
from skysort.cli import main
from skysort.som.config import SOMConfig
from skysort.som.exact import ExactSOM
from tests.cli.conftest import make_images

SMALL = ("--images", "40", "--size", "16", "--grid", "2x2", "--rotations", "8", "--epochs", "2")
ALL = ["fast", "exact", "brute force", "brute force, bilinear"]


@pytest.fixture(scope="module")
def in_this_process():
    """One interpreter for all runs: what is tested here is not their memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "in_fresh_process", lambda work, *arguments: work(*arguments))
        yield


@pytest.fixture(scope="module")
def report(in_this_process):
    with redirect_stdout(StringIO()) as out:
        assert main(["bench", *SMALL, "--scaling", "--json"]) == 0
    return json.loads(out.getvalue())


def test_every_engine_has_its_rows(report):
    assert [row["engine"] for row in report["training"]] == ALL
    assert [row["engine"] for row in report["projection"]] == ALL
    assert [row["engine"] for row in report["maps"]] == [*ALL, "PINK's rule"]
    assert report["n_rotations"] == 8
    assert report["image_shape"] == [1, 16, 16]


@pytest.mark.parametrize("part", ["training", "projection", "maps"])
def test_rates_and_ratios_follow_from_times_and_images(report, part):
    rows = {row["engine"]: row for row in report[part]}
    for engine, row in rows.items():
        assert row["rate"] == pytest.approx(
            row["n_images"] * row["passes"] / row["cost"]["cpu_s"], rel=1e-9
        )
        for peer in ALL[1:]:
            assert report["ratios"][part][engine][peer] == pytest.approx(
                row["rate"] / rows[peer]["rate"]
            )
    assert report["ratios"][part]["exact"]["exact"] == 1.0


def test_maps_are_compared_after_equal_work_by_one_judge(report):
    work = {(row["n_images"], row["passes"], row["n_rotations"]) for row in report["maps"]}
    assert work == {(40, 2, 8)}
    errors = {row["engine"]: row["quantization_error"] for row in report["maps"]}
    assert errors["fast"] == pytest.approx(errors["exact"], rel=0.05)
    assert errors["exact"] < errors["PINK's rule"]


def test_the_reference_agrees_with_itself_and_the_fast_engine_with_it(report):
    exact, fast = report["agreement"]["exact"], report["agreement"]["fast"]
    assert exact["same_unit"] == exact["within_degree"] == 1.0
    assert exact["angle_error_deg"] == [0.0, 0.0, 0.0]
    assert exact["distance_error"] == [0.0, 0.0, 0.0]
    assert fast["same_unit"] >= 0.9
    assert fast["quantization_error"] >= exact["quantization_error"] * (1.0 - 1e-6)


def test_scaling_varies_images_and_then_prototypes(report):
    cases = [(case["grid"], case["training"]["n_images"]) for case in report["scaling"]]
    assert cases == [("2 x 2", 10), ("2 x 2", 20), ("2 x 2", 40), ("1 x 2", 20), ("4 x 4", 20)]


def test_the_table_names_engines_and_what_is_only_quoted(in_this_process, capsys):
    assert main(["bench", *SMALL]) == 0
    out = capsys.readouterr().out
    for expected in (
        "1 x 16 x 16 pixels, 2 x 2 prototypes, 8 angles and flips, window disk; device cpu",
        "fast engine (PolarSOM)",
        "exact reference (ExactSOM)",
        "rotated bank x prototypes, bicubic",
        "rotated bank x prototypes, bilinear",
        "PINK's rule (ExactSOM)",
        "0.45 CPU-s an image at 360 angles on one core, 2.2 images/CPU-s; quoted",
    ):
        assert expected in out
    assert "Scaling" not in out


def test_images_of_a_file_are_used_as_they_are(in_this_process, tmp_path, capsys):
    path = tmp_path / "images.npy"
    np.save(path, make_images(n=60, channels=2))
    words = ["bench", "--data", str(path), "--grid", "2x2", "--rotations", "8", "--epochs", "2"]
    assert main([*words, "--images", "40", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["image_shape"] == [2, 12, 12]
    assert main([*words, "--images", "60"]) == 1
    assert f"{path} holds 60 images, but 90 are needed" in capsys.readouterr().err
    assert main([*words, "--images", "40", "--size", "16"]) == 1
    assert "--size is for images that are made" in capsys.readouterr().err


@pytest.mark.parametrize(("more", "least"), [((), 8), (("--scaling",), 32)])
def test_too_few_images_are_refused_at_once(more, least, capsys):
    assert main(["bench", "--grid", "2x2", "--images", str(least - 1), *more]) == 1
    assert f"--images must be at least {least} for 2 x 2 prototypes" in capsys.readouterr().err


def both(use_flip=True, channels=1):
    """The reference and brute force with the same prototypes, and images."""
    images = make_images(n=60, size=21, channels=channels)
    config = SOMConfig(
        image_shape=images.shape[1:],
        rows=2,
        columns=3,
        n_rotations=24,
        epochs=2,
        use_flip=use_flip,
    )
    exact, brute = ExactSOM(config), BruteForceSOM(config)
    exact.fit(images)
    brute.weights = exact.weights
    return exact, brute, images


@pytest.mark.parametrize(("use_flip", "channels"), [(True, 1), (False, 1), (True, 2)])
def test_brute_force_finds_the_places_of_the_reference(use_flip, channels):
    exact, brute, images = both(use_flip, channels)
    agreement = compared(exact, images, {"brute force": brute.project(images)})["brute force"]
    assert agreement.same_unit >= 0.9  # bilinear pixels are smoother than bicubic ones
    assert agreement.quantization_error == pytest.approx(
        exact.project(images).distance.mean(), rel=0.01
    )


def test_brute_force_distances_are_those_of_its_alignments():
    _, brute, images = both()
    quarter = np.rot90(images, axes=(-1, -2)).copy()  # moved, not interpolated
    places, turned = brute.project(images), brute.project(quarter)
    np.testing.assert_array_equal(turned.best, places.best)
    np.testing.assert_allclose(turned.distance, places.distance, rtol=1e-4)
    own = brute.project(brute.weights.numpy())
    np.testing.assert_array_equal(own.best, np.arange(6))
    assert own.distance.max() < 0.01 * places.distance.max()


@pytest.mark.parametrize("channels", [1, 2])
def test_brute_force_trains_a_map_as_good_as_that_of_the_reference(channels):
    exact, brute, images = both(channels=channels)
    error = exact.project(images).distance.mean()
    brute.fit(images)
    assert brute.history[-1].quantization_error < brute.history[0].quantization_error
    exact.weights = brute.weights
    assert exact.project(images).distance.mean() == pytest.approx(error, rel=0.1)


def test_brute_force_turns_and_mirrors_what_it_adds_up():
    shape, rng = make_images(n=1, size=15, channels=2)[0], np.random.default_rng(5)
    turned = [
        np.rot90(face, k, axes=(-1, -2)) for face in (shape, shape[..., ::-1]) for k in range(4)
    ]
    images = np.stack(turned * 5) + rng.normal(0.0, 1e-3, (40, *shape.shape))
    config = SOMConfig(image_shape=shape.shape, rows=1, columns=2, n_rotations=4, epochs=2)
    brute, exact = BruteForceSOM(config), ExactSOM(config)
    brute.fit(images.astype(np.float32))
    exact.weights = brute.weights
    noise = 1e-3 * np.sqrt(images[0].size)
    assert exact.project(images.astype(np.float32)).distance.max() < 1.5 * noise


def test_work_counts_products_and_traffic_but_no_views():
    one, two = torch.ones(8, 4), torch.ones(4, 2)
    with WorkCounter() as work:
        _ = one.T.T @ two
    assert work.flops == 2 * 8 * 4 * 2
    assert work.moved_bytes == 4 * (32 + 8 + 16)


@pytest.mark.filterwarnings("ignore:Sparse")
def test_work_counts_no_product_with_a_sparse_matrix():
    matrix = torch.eye(4).to_sparse_csr()
    with WorkCounter() as work:
        _ = matrix @ torch.ones(4, 2)
    assert work.flops == 0
    assert work.moved_bytes >= 4 * (4 + 8 + 8)


def test_angles_of_round_images_do_not_count():
    y, x = np.mgrid[:21, :21] - 10.0
    disk = np.exp(-(x**2 + y**2) / 8.0)[None, None].astype(np.float32)
    bar = np.exp(-(x**2) / 4.0 - y**2 / 40.0)[None, None].astype(np.float32)
    config = SOMConfig(image_shape=(1, 21, 21), rows=1, columns=2, n_rotations=24)
    som = ExactSOM(config)
    som.weights = torch.from_numpy(np.concatenate([disk, bar]))
    images = np.concatenate([disk + 0.05, bar + 0.05, bar + 0.04]).astype(np.float32)
    places = som.project(images)
    turned = replace(places, angle_rad=places.angle_rad + np.float32(0.6))
    found = compared(som, images, {"itself": places, "turned": turned})
    assert found["itself"].n_not_round == found["turned"].n_not_round == 2
    assert found["itself"].within_degree == 1.0
    assert found["turned"].within_degree == 0.0
    assert found["turned"].angle_error_deg == pytest.approx((np.degrees(0.6),) * 3, rel=1e-3)
    only_round = compared(som, images[:1], {"itself": som.project(images[:1])})["itself"]
    assert only_round.within_degree is None
    assert only_round.angle_error_deg == (None, None, None)


def test_cost_counts_processor_time_of_the_work_alone():
    result, cost = measured(lambda: sum(range(200_000)), "cpu")
    assert result == 200_000 * 199_999 // 2
    assert cost.cpu_s > 0.0
    assert cost.memory_bytes > 10_000_000


def test_a_fresh_process_is_another_one():
    assert in_fresh_process(os.getpid) != os.getpid()
    assert in_fresh_process(pow, 2, 5) == 32


def test_ratios_compare_rates():
    cost = course.Cost(1.0, 1.0, 1)
    rows = [
        course.Row(engine, 10, 1, 8, cost, rate)
        for engine, rate in (("fast", 80.0), ("exact", 4.0), ("brute force", 10.0))
    ]
    assert ratios(rows)["fast"] == {"exact": 20.0, "brute force": 8.0}
