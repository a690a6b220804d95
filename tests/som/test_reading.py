"""Images are read ahead by one chunk, checked, and never kept."""

import threading

import numpy as np
import pytest

from skysort.errors import InputError
from skysort.som.config import SOMConfig
from skysort.som.polar_som import PolarSOM
from skysort.som.stack import Rows, fingerprint, iterate_chunks, read_chunk, slices
from tests.som.shapes import make_blobs

SHAPE = (1, 9, 9)


class Counting:
    """Images that know how many of them are in use, and can refuse to be read."""

    def __init__(self, images, *, broken_at=None):
        self._images, self._broken_at = images, broken_at
        self.read = []

    def __len__(self):
        return len(self._images)

    def __getitem__(self, part):
        assert isinstance(part, slice)
        if self._broken_at is not None and part.start <= self._broken_at < part.stop:
            raise OSError("the disk is gone")
        self.read.append((part.start, part.stop))
        return self._images[part]

    @property
    def largest(self):
        return max(stop - start for start, stop in self.read)


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("images")]


@pytest.fixture(scope="module")
def images():
    return make_blobs(100, 9, seed=1)


def test_chunks_come_in_order_and_whole(images):
    parts = [(70, 100), (0, 30), (30, 70)]
    chunks = list(iterate_chunks(images, parts, SHAPE))
    assert [(chunk.index[0], chunk.index[-1] + 1) for chunk in chunks] == parts
    for chunk, (start, stop) in zip(chunks, parts, strict=True):
        assert np.array_equal(chunk.pixels, images[start:stop])
    assert readers() == []


def test_only_one_chunk_is_read_ahead(images):
    stack, parts = Counting(images), slices(100, 10)
    for done, _ in enumerate(iterate_chunks(stack, parts, SHAPE), start=1):
        assert len(stack.read) <= done + 1
    assert stack.read == parts


def test_nothing_to_read_is_no_chunk(images):
    assert list(iterate_chunks(images, [], SHAPE)) == []


def test_error_of_the_reader_reaches_the_caller(images):
    stack, seen = Counting(images, broken_at=35), []
    with pytest.raises(OSError, match="the disk is gone"):
        seen.extend(chunk.index[0] for chunk in iterate_chunks(stack, slices(100, 10), SHAPE))
    assert seen == [0, 10, 20]
    assert readers() == []


def test_bad_image_in_a_later_chunk_is_named(images):
    spoilt = images.copy()
    spoilt[42] = np.inf
    with pytest.raises(InputError, match="image 42 has infinite pixels"):
        list(iterate_chunks(spoilt, slices(100, 10), SHAPE))
    assert readers() == []


def test_stopping_early_leaves_no_thread(images):
    chunks = iterate_chunks(Counting(images), slices(100, 10), SHAPE)
    next(chunks)
    assert len(readers()) == 1
    chunks.close()
    assert readers() == []


@pytest.mark.parametrize("batch_size", [None, 40])
def test_training_and_projection_never_hold_more_than_a_chunk(batch_size):
    images = make_blobs(600, 9, seed=1)
    config = SOMConfig(
        image_shape=SHAPE, rows=2, columns=2, n_rotations=12, epochs=2, batch_size=batch_size
    )
    som = PolarSOM(config, memory_bytes=2**17)
    stack = Counting(images)
    som.fit(stack)
    som.aligned_means(stack, som.project(stack))
    # The seeds are read as rows, the fingerprint image by image.
    assert stack.largest <= som._chunk_size
    assert som._chunk_size < 200
    assert readers() == []


def test_memory_of_training_does_not_grow_with_the_images():
    """Chunks depend on the budget alone."""
    config = SOMConfig(image_shape=SHAPE, rows=2, columns=2, n_rotations=12, epochs=1)
    sizes = []
    for n in (200, 2000):
        stack = Counting(np.resize(make_blobs(200, 9), (n, *SHAPE)))
        PolarSOM(config, memory_bytes=2**17).fit(stack)
        sizes.append(stack.largest)
    assert sizes[0] == sizes[1]


def test_stopped_training_leaves_no_thread():
    config = SOMConfig(image_shape=SHAPE, rows=2, columns=2, n_rotations=12, epochs=2)
    asked = iter([False, True])
    som = PolarSOM(config, memory_bytes=2**17)
    som.fit(make_blobs(600, 9), should_stop=lambda: next(asked, True))
    assert som.history == []
    assert readers() == []


def test_rows_are_read_in_their_own_order(images):
    rows = Rows(images, np.array([7, 3, 99, 0]))
    assert np.array_equal(rows[1:4], images[[3, 99, 0]])
    assert np.array_equal(Rows(Counting(images), rows.index)[0:4], images[rows.index])


def test_bad_image_among_rows_is_named_by_its_place_in_the_stack(images):
    spoilt = images.copy()
    spoilt[99, 0, 0, 0] = np.nan
    rows = Rows(spoilt, np.array([7, 3, 99, 0]))
    with pytest.raises(InputError, match=r"image 99 has blank \(NaN\) pixels"):
        read_chunk(rows, 0, 4, SHAPE, allow_blank=False)


def test_other_shape_is_refused(images):
    with pytest.raises(InputError, match=r"images 0 to 9 must have the shape .* got \(1, 9, 9\)"):
        read_chunk(images, 0, 10, (2, 9, 9), allow_blank=False)


def test_chunk_without_some_rows_keeps_the_others(images):
    chunk = read_chunk(images, 10, 20, SHAPE, allow_blank=False)
    kept = chunk.without(np.array([3, 11, 15, 19, 50]))
    assert kept.index.tolist() == [10, 12, 13, 14, 16, 17, 18]
    assert np.array_equal(kept.pixels, images[kept.index])
    assert len(chunk.without(np.arange(10, 20))) == 0
    assert chunk.without(np.array([], dtype=np.int64)) is chunk


def test_fingerprint_notices_gaps_values_and_order(images):
    spoilt, gappy = images.copy(), images.copy()
    spoilt[50] += 1.0
    gappy[50, 0, 0, 0] = np.nan
    marks = {fingerprint(stack, SHAPE) for stack in (images, spoilt, gappy, images[::-1])}
    assert len(marks) == 4
    assert fingerprint(Counting(images), SHAPE) in marks
