"""A few numbers stand for features of any scale, and their inner products for a kernel."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus import kernel_map
from skysort.consensus.kernel_map import KernelMap, fit_kernel_map
from skysort.errors import InputError


def make_blocks(n=60, seed=0):
    """Two blocks of very different scale."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, 4)), 1e3 * rng.normal(size=(n, 3)) ** 2]


def plain_distances(rows):
    """Between all subjects, one pair after the other."""
    return np.array([[np.linalg.norm(a - b) for b in rows] for a in rows])


def plain_median(rows):
    return np.median(plain_distances(rows)[np.triu_indices(len(rows), 1)])


def plain_products(blocks, bandwidth):
    """Centred Gaussian kernel of all subjects, its mean square on the diagonal 1."""
    scaled = np.concatenate([block / plain_median(block) for block in blocks], axis=1)
    width = bandwidth * plain_median(scaled)
    kernel = np.exp(-(plain_distances(scaled) ** 2) / (2.0 * width**2))
    centre = np.eye(len(kernel)) - 1.0 / len(kernel)
    centred = centre @ kernel @ centre
    return centred / np.trace(centred) * len(kernel)


def products(blocks, **options):
    mapped = fit_kernel_map(blocks, **options).transform(blocks)
    return mapped @ mapped.T


@pytest.mark.parametrize("bandwidth", [0.7, 1.5])
def test_inner_products_are_the_gaussian_kernel_where_all_subjects_are_landmarks(bandwidth):
    blocks = make_blocks()
    found = products(blocks, n_landmarks=60, n_features=60, bandwidth=bandwidth)
    np.testing.assert_allclose(found, plain_products(blocks, bandwidth), atol=1e-5)


def test_few_features_are_the_leading_directions_of_the_kernel():
    blocks = make_blocks()
    exact = plain_products(blocks, 1.5)
    errors = [
        np.abs(products(blocks, n_landmarks=60, n_features=d) - exact).mean() for d in (2, 8, 30)
    ]
    assert errors[0] > 3.0 * errors[1] > 9.0 * errors[2]


def test_subjects_that_are_no_landmarks_are_nearly_as_far_apart_as_the_kernel_has_them():
    rows = np.random.default_rng(1).normal(size=(120, 2))
    found = fit_kernel_map([rows], n_landmarks=60, n_features=60)
    apart = plain_distances(found.transform([rows])) ** 2
    kernel = np.exp(-((plain_distances(rows / found.scales[0]) / found.bandwidth) ** 2) / 2.0)
    expected = 2.0 - 2.0 * kernel
    # Outliers, far from all landmarks, are off by 1 %.
    np.testing.assert_allclose(apart / apart.mean(), expected / expected.mean(), atol=0.04)


def test_mean_squared_length_of_the_landmarks_is_one_and_their_mean_zero():
    blocks = make_blocks(n=200)
    mapped = fit_kernel_map(blocks, n_landmarks=200).transform(blocks)
    assert (mapped**2).sum(axis=1).mean() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(mapped.mean(axis=0), 0.0, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.floats(-6.0, 6.0), st.integers(0, 1))
def test_unit_of_a_block_changes_nothing(exponent, which):
    blocks = make_blocks()
    other = list(blocks)
    other[which] = blocks[which] * 10.0**exponent
    np.testing.assert_allclose(products(other), products(blocks), atol=1e-5)


def test_offset_common_to_all_subjects_changes_nothing():
    blocks = make_blocks()
    moved = [blocks[0] + 1e6, blocks[1]]
    np.testing.assert_allclose(products(moved), products(blocks), atol=1e-5)


def test_order_of_columns_changes_nothing():
    blocks = make_blocks()
    np.testing.assert_allclose(
        products([blocks[1][:, ::-1], blocks[0]]), products(blocks), atol=1e-5
    )


def test_what_a_subject_becomes_does_not_depend_on_the_others(monkeypatch):
    blocks = make_blocks()
    found = fit_kernel_map(blocks, n_landmarks=20)
    whole = found.transform(blocks)
    alone = np.concatenate([found.transform([b[[n]] for b in blocks]) for n in range(60)])
    np.testing.assert_allclose(alone, whole, atol=1e-6)
    monkeypatch.setattr(kernel_map, "ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(found.transform(blocks), whole, atol=1e-6)


def test_other_types_of_numbers_give_the_same():
    counts = np.random.default_rng(2).integers(0, 9, (40, 3))
    np.testing.assert_allclose(products([counts]), products([counts.astype(np.float32)]), atol=1e-6)


def test_fewer_subjects_than_landmarks_are_all_taken():
    blocks = make_blocks(n=5)
    found = fit_kernel_map(blocks)
    assert len(found.landmarks) == 5
    assert found.transform(blocks).shape == (5, found.n_features)
    assert found.n_features <= 5


def test_chance_follows_its_seed():
    blocks = make_blocks()
    maps = [fit_kernel_map(blocks, n_landmarks=10, seed=seed) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(maps[0].landmarks, maps[1].landmarks)
    assert not np.array_equal(maps[0].landmarks, maps[2].landmarks)


@pytest.mark.parametrize("row", [np.zeros(4), np.array([0.1, 0.2, 0.3, 1e7])])
def test_equal_subjects_are_all_zero(row):
    rows = np.tile(row, (50, 1))
    found = fit_kernel_map([rows])
    np.testing.assert_allclose(found.transform([rows]), 0.0, atol=1e-6)
    other = found.transform([rows[:1] + 1.0])
    assert np.isfinite(other).all()


def test_a_single_subject_can_be_fitted():
    rows = np.array([[3.0, 4.0]])
    np.testing.assert_allclose(fit_kernel_map([rows]).transform([rows]), 0.0, atol=1e-6)


def test_a_block_without_differences_has_no_say():
    blocks = make_blocks()
    np.testing.assert_allclose(
        products([*blocks, np.full((60, 2), 0.3)]), products(blocks), atol=1e-5
    )


def test_a_scale_is_found_where_most_subjects_are_equal():
    rows = np.tile([0.3, 0.7], (60, 1))
    rows[:9] += np.random.default_rng(3).normal(size=(9, 2))
    for unit in (1e-4, 1e4):
        np.testing.assert_allclose(products([rows * unit]), products([rows]), atol=1e-5)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "maps"
    path.mkdir()
    return path


def test_file_gives_back_the_same_map(folder):
    blocks = make_blocks()
    found = fit_kernel_map(blocks, n_landmarks=20)
    found.save(folder / "features.npz")
    loaded = KernelMap.load(folder / "features.npz")
    for each in fields(KernelMap):
        np.testing.assert_array_equal(getattr(loaded, each.name), getattr(found, each.name))
    np.testing.assert_array_equal(loaded.transform(blocks), found.transform(blocks))
    assert [path.name for path in folder.iterdir()] == ["features.npz"]


def test_file_is_written_whole_or_not_at_all(folder, monkeypatch):
    path = folder / "features.npz"
    fit_kernel_map(make_blocks(seed=1)).save(path)
    before = path.read_bytes()

    def stop_halfway(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", stop_halfway)
    with pytest.raises(OSError, match="No space left"):
        fit_kernel_map(make_blocks(seed=2)).save(path)
    assert path.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["features.npz"]


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 0.999))
def test_half_a_file_is_refused(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("maps") / "features.npz"
    fit_kernel_map(make_blocks(n=8)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"features\.npz holds no map of features"):
        KernelMap.load(path)


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path):
    path = tmp_path / "features.npz"
    found = fit_kernel_map(make_blocks(n=8))
    found.save(path)
    whole, rng, n_refused = path.read_bytes(), np.random.default_rng(4), 0
    for place in rng.integers(0, len(whole), 300):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(0, 8)
        path.write_bytes(damaged)
        try:
            loaded = KernelMap.load(path)
        except InputError:
            n_refused += 1
            continue
        np.testing.assert_array_equal(loaded.projection, found.projection)
    assert n_refused > 200  # the others lie in dates and the like


def write_array(path):
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def write_other_arrays(path):
    np.savez(path, landmarks=np.ones((2, 2)))


def write_arrays_of_two_maps(path):
    small, large = (fit_kernel_map(make_blocks(n=n)) for n in (8, 20))
    np.savez(path, **{**vars(small), "projection": large.projection})


def write_widths_of_another_map(path):
    np.savez(path, **{**vars(fit_kernel_map(make_blocks(n=8))), "widths": np.array([4, 4])})


def write_pickle(path):
    np.savez(path, landmarks=np.array([{"a": 1}], dtype=object))


def write_text(path):
    path.write_text("features")


@pytest.mark.parametrize(
    "write",
    [
        write_array,
        write_other_arrays,
        write_arrays_of_two_maps,
        write_widths_of_another_map,
        write_pickle,
        write_text,
        lambda path: path.write_bytes(b""),
        lambda path: path.mkdir(),
        lambda path: None,
    ],
)
def test_other_files_are_refused(tmp_path, write):
    path = tmp_path / "other.npz"
    write(path)
    with pytest.raises(InputError, match=r"other\.npz holds no map of features"):
        KernelMap.load(path)


def with_nan(row):
    rows = np.ones((5, 2))
    rows[row, 1] = np.nan
    return rows


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], "blocks must hold at least one array"),
        ([np.ones((5, 2)), with_nan(3)], "block 1 must be finite, row 3 is not"),
        ([np.full((4, 1), np.inf)], "block 0 must be finite, row 0 is not"),
        ([np.ones((5, 2)), np.ones((4, 2))], r"block 1 must have 5 rows .* got shape \(4, 2\)"),
        ([np.ones((0, 2))], r"block 0 must have .* got shape \(0, 2\)"),
        ([np.ones((5, 0))], r"block 0 must have 5 rows and at least one column"),
        ([np.ones(5)], r"block 0 must have .* got shape \(5,\)"),
    ],
)
def test_refuses_blocks_that_are_no_features(blocks, message):
    with pytest.raises(InputError, match=message):
        fit_kernel_map(blocks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_landmarks": 0}, "n_landmarks and n_features must be at least 1, got 0 and 128"),
        ({"n_features": 0}, "n_landmarks and n_features must be at least 1, got 512 and 0"),
        ({"bandwidth": 0.0}, "bandwidth must be positive, got 0.0"),
        ({"bandwidth": np.nan}, "bandwidth must be positive, got nan"),
    ],
)
def test_refuses_numbers_that_are_not_positive(options, message):
    with pytest.raises(InputError, match=message):
        fit_kernel_map(make_blocks(n=5), **options)


@pytest.mark.parametrize(
    ("chosen", "widths"), [([0], "[4]"), ([1, 0], "[3, 4]"), ([0, 1, 1], "[4, 3, 3]")]
)
def test_refuses_to_map_blocks_of_other_widths(chosen, widths):
    blocks = make_blocks()
    with pytest.raises(InputError) as caught:
        fit_kernel_map(blocks).transform([blocks[k] for k in chosen])
    assert str(caught.value) == f"blocks must have [4, 3] columns as when fitted, got {widths}"


def test_refuses_to_map_what_is_not_finite():
    blocks = make_blocks()
    found = fit_kernel_map(blocks)
    blocks[1][17, 0] = np.nan
    with pytest.raises(InputError, match="block 1 must be finite, row 17 is not"):
        found.transform(blocks)
