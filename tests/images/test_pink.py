"""PINK's files are read as PINK 2.5 writes them, and written as it reads them."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from skysort.errors import InputError
from skysort.images import pink
from skysort.images.pink import Lattice
from skysort.images.stacks import OpenStack


def packed(*numbers, floats=()):
    return struct.pack(f"<{len(numbers)}i", *numbers) + struct.pack(f"<{len(floats)}f", *floats)


@pytest.fixture
def write(tmp_path):
    def write_bytes(content):
        path = tmp_path / "file.bin"
        path.write_bytes(content)
        return path

    return write_bytes


IMAGES = packed(2, 0, 0, 2, 0, 2, 2, 2, floats=range(8))
COLORS = packed(2, 0, 0, 1, 0, 3, 3, 2, 2, floats=range(12))
# A map of width 3 and height 2, each neuron one pixel: column 0 is 0, 1 from the top down.
NEURONS = packed(2, 1, 0, 0, 2, 3, 2, 0, 2, 1, 1, floats=range(6))
MAPPING = packed(2, 2, 0, 2, 0, 2, 3, 2, floats=range(12))
TRANSFORMS = packed(2, 3, 1, 0, 2, 2, 1) + struct.pack("<bfbf", 0, 0.5, 1, 0.5)


def test_images_of_one_channel_are_read_in_their_order(write):
    images = pink.read_images(write(IMAGES))
    assert images.shape == (2, 1, 2, 2)
    assert images.dtype == np.float32
    assert images[1, 0].tolist() == [[4.0, 5.0], [6.0, 7.0]]


def test_channels_are_the_first_axis_of_an_image(write):
    images = pink.read_images(write(COLORS))
    assert images.shape == (1, 3, 2, 2)
    assert images[0, 2].tolist() == [[8.0, 9.0], [10.0, 11.0]]


def test_channels_that_the_header_names_last_are_stored_first_all_the_same(write):
    images = pink.read_images(write(packed(2, 0, 0, 1, 0, 3, 2, 2, 3, floats=range(12))))
    assert images.shape == (1, 3, 2, 2)
    assert images[0, 1].tolist() == [[4.0, 5.0], [6.0, 7.0]]


def test_images_are_not_read_before_they_are_asked_for(write):
    images = pink.read_images(write(IMAGES))
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable


def test_text_before_the_numbers_is_skipped(write):
    comments = b"# Training on FIRST\n#\n# END OF HEADER\n"
    assert pink.read_images(write(comments + IMAGES)).shape == (2, 1, 2, 2)
    assert pink.read_images(write(b"# no end is told\n" + IMAGES)).shape == (2, 1, 2, 2)


def test_neurons_lie_column_by_column_in_the_file(write):
    neurons = pink.read_neurons(write(NEURONS))
    assert neurons.lattice == Lattice(rows=2, columns=3)
    assert neurons.weights[:, 0, 0, 0].reshape(2, 3).tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]


def test_a_map_of_height_one_has_one_axis(write):
    neurons = pink.read_neurons(write(packed(2, 1, 0, 0, 1, 3, 0, 2, 1, 1, floats=range(3))))
    assert neurons.lattice == Lattice(rows=1, columns=3)
    assert neurons.weights[:, 0, 0, 0].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("layout", [0, 1])  # PINK 2.5 writes 0 for hexagons as well
def test_a_hexagon_of_neurons_is_known_by_its_length(write, layout):
    neurons = pink.read_neurons(
        write(packed(2, 1, 0, layout, 2, 3, 3, 0, 2, 1, 1, floats=range(7)))
    )
    assert neurons.lattice == Lattice(3, 3, "hexagonal")
    assert neurons.weights[:, 0, 0, 0].tolist() == list(range(7))


def test_a_hexagon_has_rows_of_growing_and_shrinking_length():
    assert Lattice(5, 5, "hexagonal").n_units == 19
    rows = Lattice(5, 5, "hexagonal").places()[:, 0]
    assert np.bincount(rows).tolist() == [3, 4, 5, 4, 3]


def test_a_mapping_has_the_units_of_its_map(write):
    mapping = pink.read_mapping(write(MAPPING))
    assert mapping.lattice == Lattice(rows=2, columns=3)
    assert mapping.distances.tolist() == [[0, 2, 4, 1, 3, 5], [6, 8, 10, 7, 9, 11]]


def test_transforms_are_packed_and_come_in_our_convention(write):
    transforms = pink.read_transforms(write(TRANSFORMS))
    assert transforms.flip.tolist() == [[False, True]]
    assert transforms.angle_rad[0] == pytest.approx([0.5, np.pi - 0.5])


# The array's first row is the bottom of the picture.
def mirrored(image):
    return image[:, ::-1]


def upside_down(image):
    return image[::-1]


def quarter_turn(image):
    """Counter-clockwise, row 0 below: what is right of the center goes above it."""
    return np.rot90(image, -1)


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("flip", [False, True])
def test_both_conventions_give_the_same_picture(quarters, flip):
    image = np.arange(9.0).reshape(3, 3)

    theirs = image  # PINK: turn, then upside down
    for _ in range(quarters):
        theirs = quarter_turn(theirs)
    theirs = upside_down(theirs) if flip else theirs

    angle = pink.change_convention(quarters * np.pi / 2, flip)
    ours = mirrored(image) if flip else image  # ours: mirror, then turn
    for _ in range(round(float(angle) / (np.pi / 2))):
        ours = quarter_turn(ours)
    assert ours.tolist() == theirs.tolist()


@given(
    st.floats(-10.0, 10.0, width=32),
    st.booleans(),
)
def test_the_convention_changes_back(angle, flip):
    there = pink.change_convention(angle, flip)
    back = pink.change_convention(there, flip)
    assert 0.0 <= there < np.float32(2 * np.pi)
    assert np.cos(back - angle) == pytest.approx(1.0, abs=1e-6)


finite = st.floats(-1e6, 1e6, width=32)
image_stacks = st.tuples(st.integers(1, 4), st.sampled_from([1, 2, 5]), st.integers(1, 4)).flatmap(
    lambda shape: arrays.arrays(np.float32, (*shape, shape[2]), elements=finite)
)


@given(images=image_stacks)
def test_images_come_back(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("pink") / "images.bin"
    pink.write_images(path, images)
    assert pink.file_kind(path) == "images"
    assert np.array_equal(pink.read_images(path), images)


def test_many_images_are_written_part_by_part(tmp_path):
    asked = []

    def read(numbers):
        asked.append(len(numbers))
        return np.broadcast_to(numbers[:, None, None, None], (len(numbers), 1, 1, 1))

    pink.write_images(tmp_path / "many.bin", OpenStack("many", (9000, 1, 1, 1), read))
    assert max(asked) == pink.BLOCK
    assert pink.read_images(tmp_path / "many.bin")[:, 0, 0, 0].tolist() == list(range(9000))


lattices = st.builds(Lattice, st.integers(1, 4), st.integers(1, 4)) | st.sampled_from(
    [Lattice(d, d, "hexagonal") for d in (3, 5)]
)


@given(lattice=lattices, data=st.data())
def test_neurons_come_back(tmp_path_factory, lattice, data):
    shape = (lattice.n_units, data.draw(st.sampled_from([1, 3])), 2, 2)
    weights = data.draw(arrays.arrays(np.float32, shape, elements=finite))
    path = tmp_path_factory.mktemp("pink") / "map.bin"
    pink.write_neurons(path, weights, lattice)
    assert pink.file_kind(path) == "map"
    back = pink.read_neurons(path)
    assert back.lattice == lattice
    assert np.array_equal(back.weights, weights)


@given(lattice=lattices, parts=st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_mappings_and_transforms_come_back(tmp_path_factory, lattice, parts):
    folder, n_images = tmp_path_factory.mktemp("pink"), sum(parts)
    rng = np.random.default_rng(n_images)
    distances = rng.random((n_images, lattice.n_units), dtype=np.float32)
    angle = rng.uniform(0, 6, distances.shape).astype(np.float32)
    flip = rng.random(distances.shape) < 0.5
    options = {"n_images": n_images, "lattice": lattice}
    with (
        pink.mapping_writer(folder / "mapping.bin", **options) as write_distances,
        pink.transforms_writer(folder / "transforms.bin", **options) as write_transforms,
    ):
        for end, n in zip(np.cumsum(parts), parts, strict=True):
            part = slice(end - n, end)
            write_distances(distances[part])
            write_transforms(angle[part], flip[part])
    mapping = pink.read_mapping(folder / "mapping.bin")
    transforms = pink.read_transforms(folder / "transforms.bin")
    assert mapping.lattice == transforms.lattice == lattice
    assert np.array_equal(mapping.distances, distances)
    assert np.array_equal(transforms.flip, flip)
    assert transforms.angle_rad == pytest.approx(angle, abs=1e-6)


def test_what_is_written_is_what_pink_reads(tmp_path):
    path = tmp_path / "file.bin"
    pink.write_images(path, np.arange(8.0).reshape(2, 1, 2, 2))
    assert path.read_bytes() == IMAGES
    pink.write_images(path, np.arange(12.0).reshape(1, 3, 2, 2))
    assert path.read_bytes() == COLORS
    ours = np.array([0, 2, 4, 1, 3, 5], np.float32)
    pink.write_neurons(path, ours.reshape(6, 1, 1, 1), Lattice(rows=2, columns=3))
    assert path.read_bytes() == NEURONS
    with pink.mapping_writer(path, n_images=2, lattice=Lattice(2, 3)) as write_distances:
        write_distances([ours, ours + 6])
    assert path.read_bytes() == MAPPING
    with pink.transforms_writer(path, n_images=1, lattice=Lattice(1, 2)) as write_transforms:
        write_transforms([[0.5, np.pi - 0.5]], [[False, True]])
    written = path.read_bytes()
    assert written[:28] == packed(2, 3, 1, 0, 2, 2, 1)
    assert struct.unpack("<bfbf", written[28:]) == pytest.approx((0, 0.5, 1, 0.5))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is truncated: its header ends before its version"),
        (packed(2, 0, 0), "is truncated: its header ends before the number of images"),
        (packed(2, 0, 0, 5, 0, 2, 2), "is truncated: its header ends before the axes"),
        (IMAGES[:-1], "is truncated: its header promises 32 bytes of data, 31 are there"),
        (IMAGES + b"\0", "does not fit its header: 32 bytes of data are promised, and 1 more"),
        (packed(100, 1, 64, 64), "is no file of PINK's version 2: its first number is 100"),
        (NEURONS, r"must hold images \(kind 0\), not map \(kind 1\)"),
        (packed(2, 7), r"not nothing that is known \(kind 7\)"),
        (packed(2, 0, 1), r"32-bit floating point numbers \(data type 0\), got data type 1"),
        (packed(2, 0, 0, 0, 0, 2, 2, 2), "at least one image, its header says 0"),
        (packed(2, 0, 0, -1, 0, 2, 2, 2), "at least one image, its header says -1"),
        (packed(2, 0, 0, 1, 1, 2, 2, 2), r"images of a cartesian layout \(0\), got layout 1"),
        (packed(2, 0, 0, 1, 0, 1, 4), "images of 2 or 3 axes"),
        (packed(2, 0, 0, 1, 0, 4, 1, 1, 1, 1), "1 to 3 axes of the images, got 4"),
        (packed(2, 0, 0, 1, 0, 2, 2, 3), "must hold square images"),
        (packed(2, 0, 0, 1, 0, 3, 64, 2, 2), "at most 16 channels"),
        (packed(2, 0, 0, 1, 0, 2, -2, -2), "positive lengths"),
        (
            packed(2, 0, 0, 2**31 - 1, 0, 2, 2**31 - 1, 2**31 - 1),
            "is truncated: its header promises 39614081",
        ),
    ],
)
def test_wrong_images_are_refused_with_the_reason(write, content, said):
    path = write(content)
    with pytest.raises(InputError, match=said) as refused:
        pink.read_images(path)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (NEURONS[:-4], "is truncated: its header promises 24 bytes of data, 20 are there"),
        (NEURONS + IMAGES, "does not fit its header"),
        (IMAGES, r"must hold map \(kind 1\), not images"),
        (packed(2, 1, 0, 2, 2, 3, 2, 0, 2, 1, 1, floats=range(6)), "layout 0 .* or 1 .*, got 2"),
        (packed(2, 1, 0, 1, 2, 3, 2, 0, 2, 1, 1, floats=range(6)), "hexagonal map of 3 x 2"),
        (packed(2, 1, 0, 0, 3, 2, 2, 2, 0, 2, 1, 1, floats=range(8)), "three dimensions"),
        (packed(2, 1, 0, 0, 2, 1, 2, 0, 2, 1, 1, floats=(0, np.nan)), "neuron 1 .* NaN or"),
    ],
)
def test_wrong_maps_are_refused_with_the_reason(write, content, said):
    with pytest.raises(InputError, match=said):
        pink.read_neurons(write(content))


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_a_mapping_with_an_impossible_distance_is_refused(write, value):
    path = write(packed(2, 2, 0, 2, 0, 2, 2, 1, floats=(0, 1, 2, value)))
    with pytest.raises(InputError, match="image 1, has a distance that is negative, NaN or"):
        pink.read_mapping(path)


@pytest.mark.parametrize(("flip", "angle"), [(2, 0.0), (-1, 0.0), (0, np.nan)])
def test_an_impossible_transform_is_refused(write, flip, angle):
    path = write(packed(2, 3, 2, 0, 1, 1) + struct.pack("<bfbf", 0, 0.0, flip, angle))
    with pytest.raises(InputError, match="image 1, has a flip that is neither 0 nor 1"):
        pink.read_transforms(path)


def test_a_mapping_of_no_images_is_refused(write):
    with pytest.raises(InputError, match="at least one image, its header says 0"):
        pink.read_mapping(write(packed(2, 2, 0, 0, 0, 2, 2, 2)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.bin is no file; expected mapping of PINK"):
        pink.read_mapping(tmp_path / "none.bin")


def test_a_file_of_another_kind_is_none(write, tmp_path):
    assert pink.file_kind(write(b"\x93NUMPY, and then some more")) is None
    assert pink.file_kind(write(b"")) is None
    assert pink.file_kind(write(b"# only a comment")) is None
    assert pink.file_kind(tmp_path) is None


def test_arguments_are_checked_before_a_file_is_touched(write):
    path = write(b"kept")
    with pytest.raises(InputError, match="at least one image, got 0"):
        pink.write_images(path, np.zeros((0, 1, 2, 2)))
    with pytest.raises(InputError, match="images must be square"):
        pink.write_images(path, np.zeros((1, 1, 2, 3)))
    with pytest.raises(InputError, match=r"must have shape \(4, C, H, W\), got \(3, 1, 2, 2\)"):
        pink.write_neurons(path, np.zeros((3, 1, 2, 2)), Lattice(2, 2))
    with pytest.raises(InputError, match="weights of unit 2 must be finite"):
        pink.write_neurons(
            path, np.full((4, 1, 1, 1), [[[[0]]], [[[0]]], [[[np.inf]]], [[[0]]]]), Lattice(2, 2)
        )
    with pytest.raises(InputError, match="at least 1, got 0 and 2"):
        Lattice(0, 2)
    with pytest.raises(InputError, match="an odd number, got 4 x 4"):
        Lattice(4, 4, "hexagonal")
    assert path.read_bytes() == b"kept"


def test_an_unfinished_mapping_leaves_no_file(tmp_path):
    path = tmp_path / "mapping.bin"
    with (
        pytest.raises(InputError, match="was to hold 3 images, got 1"),
        pink.mapping_writer(path, n_images=3, lattice=Lattice(1, 2)) as write_distances,
    ):
        write_distances([[1.0, 2.0]])
    with (
        pytest.raises(InputError, match=r"must have shape \(n, 2\), got \(1, 3\)"),
        pink.mapping_writer(path, n_images=1, lattice=Lattice(1, 2)) as write_distances,
    ):
        write_distances([[1.0, 2.0, 3.0]])
    assert list(tmp_path.glob("*mapping*")) == []


@given(
    content=st.sampled_from([IMAGES, NEURONS, MAPPING, TRANSFORMS]),
    number=st.integers(0, 8),
    value=st.integers(-(2**31), 2**31 - 1) | st.integers(-1, 9),
    length=st.integers(0, 100),
)
def test_a_damaged_header_never_gives_more_than_the_file_holds(
    tmp_path_factory, content, number, value, length
):
    damaged = bytearray(content)
    damaged[4 * number : 4 * number + 4] = struct.pack("<i", value)
    path = tmp_path_factory.mktemp("pink") / "file.bin"
    path.write_bytes(damaged[:length])
    for read in (pink.read_images, pink.read_neurons, pink.read_mapping, pink.read_transforms):
        with contextlib.suppress(InputError):
            found = read(path)
            arrays_found = [found] if isinstance(found, np.ndarray) else vars(found).values()
            assert all(a.size <= length for a in arrays_found if isinstance(a, np.ndarray))
