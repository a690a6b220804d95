"""A small survey and a map of it, as files."""

import numpy as np
import pytest
import torch

from skysort.cli import main


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_images(n=30, size=12, channels=1, seed=3):
    """Two unequal blobs at random distance and angle, and noise so that nothing ties."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    angle, reach = rng.uniform(0, 2 * np.pi, n), rng.uniform(0, size / 4, n)
    at = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)[:, :, None, None]
    images = np.exp(-((x - at[:, 0]) ** 2 + (y - at[:, 1]) ** 2) / 3.0)
    images += 0.5 * np.exp(-((x + at[:, 0]) ** 2 + (y + at[:, 1]) ** 2) / 3.0)
    images += rng.normal(0.0, 0.05, images.shape)
    return np.repeat(images[:, None], channels, axis=1).astype(np.float32)


@pytest.fixture
def images_path(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, make_images()[:, 0])
    return path


TRAINING = ("--grid", "2x3", "--epochs", "2", "--rotations", "16")


@pytest.fixture
def trained(tmp_path, images_path, capsys):
    path = tmp_path / "trained.safetensors"
    assert main(["train", str(images_path), "-o", str(path), *TRAINING]) == 0
    capsys.readouterr()
    return path
