"""The map by scikit-learn's protocol."""

import inspect

import numpy as np
import pytest
import torch

from skysort.errors import InputError
from skysort.som.estimator import RotationInvariantSOM
from skysort.som.polar_som import PolarSOM
from skysort.som.quality import quantization_error
from skysort.som.stack import Rows
from tests.som.shapes import make_shapes

GRID = (2, 3)


def make_som(**settings):
    return RotationInvariantSOM(**{"grid": GRID, "epochs": 4, "n_rotations": 24, **settings})


@pytest.fixture(scope="module")
def shapes():
    return make_shapes(90)


@pytest.fixture(scope="module")
def fitted(shapes):
    return make_som().fit(shapes[0])


def test_fit_gives_itself_and_what_it_learnt(shapes):
    som = make_som()
    assert som.fit(shapes[0]) is som
    assert som.prototypes_.shape == (6, 1, 24, 24)
    assert som.labels_.shape == (90,)
    assert [report.epoch for report in som.history_] == [1, 2, 3, 4]
    assert som.projection_.distance.shape == (90,)


def test_images_of_one_channel_may_come_without_its_axis(shapes, fitted):
    flat = make_som().fit(shapes[0][:, 0])
    assert np.array_equal(flat.prototypes_, fitted.prototypes_)


def test_predict_tells_the_units_of_fit(shapes, fitted):
    assert np.array_equal(fitted.predict(shapes[0]), fitted.labels_)
    assert np.array_equal(make_som().fit_predict(shapes[0]), fitted.labels_)


def test_transform_is_nearest_where_predict_says(shapes, fitted):
    distances = fitted.transform(shapes[0])
    assert distances.shape == (90, 6)
    best = distances[np.arange(90), fitted.labels_]
    # Distances on rings are a few per cent off, so a near tie may fall to the other unit.
    assert (best <= distances.min(axis=1) * 1.05).mean() > 0.97
    # Rings know the angles between the steps of 15 degrees, and not what lies between rings, which
    # tells where an image and its prototype share their noise: measured 97 %.
    assert (best <= fitted.projection_.distance * 1.05).mean() > 0.92
    assert np.corrcoef(best, fitted.projection_.distance)[0, 1] > 0.5
    assert np.array_equal(make_som().fit_transform(shapes[0]), distances)


def test_score_is_larger_for_a_better_map(shapes, fitted):
    held_out = make_shapes(30, seed=2)[0]
    assert fitted.score(held_out) == -quantization_error(fitted.project(held_out))
    assert fitted.score(held_out) > make_som(grid=(1, 2)).fit(shapes[0]).score(held_out)


def test_settings_make_an_equal_estimator(shapes, fitted):
    som = make_som(sigma_end=0.4, topology="hexagonal")
    twin = RotationInvariantSOM(**som.get_params())
    assert twin.get_params() == som.get_params()
    assert twin.config((1, 24, 24)) == som.config((1, 24, 24))
    assert twin.config((1, 24, 24)).sigma_end == 0.4
    again = RotationInvariantSOM(**fitted.get_params()).fit(shapes[0])
    assert np.array_equal(again.prototypes_, fitted.prototypes_)


def test_a_changed_setting_holds_from_the_next_fit_on(shapes):
    som = make_som().set_params(grid=(1, 2), sigma_end=0.5)
    assert som.fit(shapes[0]).prototypes_.shape[0] == 2
    assert som.som_.config.sigma_end == 0.5


def test_its_picture_shows_what_differs_from_the_defaults():
    assert repr(RotationInvariantSOM()) == "RotationInvariantSOM()"
    assert repr(make_som(blank="mask")) == (
        "RotationInvariantSOM(epochs=4, grid=(2, 3), n_rotations=24, blank='mask')"
    )


def test_every_argument_is_a_setting():
    names = set(inspect.signature(RotationInvariantSOM.__init__).parameters)
    assert names - {"self", "settings"} == set(RotationInvariantSOM().get_params())


@pytest.mark.parametrize("name", ["neighbourhood", "rule", "image_shape"])
def test_an_unknown_setting_is_refused_by_name(name):
    with pytest.raises(TypeError, match=f"has no setting {name}; it has batch_size, blank"):
        RotationInvariantSOM(**{name: 1})


def test_a_wrong_setting_is_told_by_fit(shapes):
    with pytest.raises(InputError, match="window must be disk or square, got ring"):
        make_som(window="ring").fit(shapes[0])


def test_what_is_not_fitted_says_so(shapes):
    for ask in (make_som().predict, make_som().transform, make_som().score):
        with pytest.raises(InputError, match="RotationInvariantSOM is not fitted yet; call fit"):
            ask(shapes[0])


@pytest.mark.parametrize("shape", [(5,), (5, 24), (5, 1, 1, 24, 24)])
def test_images_of_another_number_of_axes_are_refused(shape):
    with pytest.raises(InputError, match=r"images must be \(N, H, W\) or \(N, C, H, W\), got"):
        make_som().fit(np.zeros(shape, np.float32))


def test_batches_make_a_map_about_as_good_as_that_of_all(shapes, fitted):
    som, held_out = make_som(), make_shapes(60, seed=2)[0]
    for _ in range(3):
        for start in range(0, 90, 30):
            som.partial_fit(shapes[0][start : start + 30])
    assert som.labels_.shape == (30,)
    assert som.score(held_out) > 1.1 * fitted.score(held_out)


def test_a_settled_map_remembers_all_batches(shapes):
    som = make_som(epochs=1, sigma_start=0.3, grid=(1, 2)).partial_fit(shapes[0][:30])
    before = som.prototypes_
    for _ in range(20):
        som.partial_fit(shapes[0][:30])
    settled = som.prototypes_
    som.partial_fit(shapes[0][30:60])
    moved = np.linalg.norm(som.prototypes_ - settled)
    assert 0.0 < moved < 0.2 * np.linalg.norm(settled)
    assert np.isfinite(before).all()


def test_partial_updates_add_up(shapes):
    som = PolarSOM(make_som().config((1, 24, 24)))
    som.fit(shapes[0])
    whole = som.partial_update(shapes[0], epoch=1)
    parts = [som.partial_update(Rows(shapes[0], np.arange(90)[p::2]), epoch=1) for p in (0, 1)]
    for name in ("numerator", "denominator", "error"):
        summed = sum(getattr(part, name) for part in parts)
        assert torch.allclose(summed, getattr(whole, name), rtol=1e-5, atol=1e-5), name


def test_a_child_map_sorts_the_members_of_one_prototype(shapes, fitted):
    unit = int(np.bincount(fitted.labels_).argmax())
    child, members = fitted.refine(unit, shapes[0], grid=(1, 2), epochs=3)
    assert np.array_equal(members, np.flatnonzero(fitted.labels_ == unit))
    assert child.labels_.shape == members.shape
    assert child.prototypes_.shape[0] == 2
    assert len(child.history_) == 3
    assert child.projection_.distance.mean() < fitted.projection_.distance[members].mean()


def test_a_child_map_of_other_images_sorts_their_members(fitted):
    other = make_shapes(60, seed=5)[0]
    best = fitted.predict(other)
    unit = int(np.bincount(best).argmax())
    _, members = fitted.refine(unit, other, grid=(1, 2))
    assert np.array_equal(members, np.flatnonzero(best == unit))


def test_a_child_map_needs_a_prototype_and_enough_members(shapes, fitted):
    with pytest.raises(InputError, match="prototype must be from 0 to 5, got 6"):
        fitted.refine(6, shapes[0])
    with pytest.raises(InputError, match="members, fewer than the 100 prototypes of its child"):
        fitted.refine(0, shapes[0], grid=(10, 10))


def test_a_saved_map_comes_back_with_its_settings(shapes, fitted, tmp_path):
    fitted.save(tmp_path / "map.safetensors")
    loaded = RotationInvariantSOM.load(tmp_path / "map.safetensors")
    assert loaded.get_params()["grid"] == GRID
    assert loaded.config((1, 24, 24)) == fitted.config((1, 24, 24))
    assert loaded.history_ == fitted.history_
    assert np.array_equal(loaded.predict(shapes[0]), fitted.labels_)


def test_the_module_inside_aligns_images_and_moves_with_its_buffers(shapes, fitted):
    module = fitted.module_
    assert isinstance(module, torch.nn.Module)
    assert list(module.parameters()) == []
    alignment = module(torch.from_numpy(shapes[0][:5]))
    assert alignment.squared.shape == (5, 6)
    distances = fitted.transform(shapes[0][:5])
    assert np.allclose(alignment.squared.sqrt().numpy(), distances, rtol=1e-5)
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}
