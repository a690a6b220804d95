"""Small images of known shape for the tests of the map."""

import math

import numpy as np
import torch

from skysort.som.rotation import rotate_images


def make_noise(n, size=12, channels=1, seed=1):
    """Smooth random images, so that neighbouring angles differ little, as on the sky."""
    rng = np.random.default_rng(seed)
    field = np.fft.rfft2(rng.normal(size=(n, channels, size, size)))
    ky, kx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)
    smooth = np.fft.irfft2(field * np.exp(-8.0 * (kx**2 + ky**2)), s=(size, size))
    return smooth.astype(np.float32)


def make_blobs(n, size=24, channels=1, seed=1, width=None):
    """Four unequal smooth blobs each, so that no image is round or its own mirror image."""
    width = max(1.2, size / 14.0) if width is None else width
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    reach, angle = rng.uniform(0.0, 0.3 * size, (n, 4)), rng.uniform(0.0, 2.0 * np.pi, (n, 4))
    flux = rng.uniform(0.2, 1.0, (n, channels, 4))
    dy = y[..., None] - (reach * np.sin(angle))[:, None, None]
    dx = x[..., None] - (reach * np.cos(angle))[:, None, None]
    blobs = np.exp(-0.5 * (dy**2 + dx**2) / width**2)  # (n, H, W, 4)
    return np.einsum("nhwb,ncb->nchw", blobs, flux).astype(np.float32)


def make_templates(size=24):
    """Three shapes that no rotation and no flip turns into one another: a dot, a bar, a bow."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    reach = size / 4.0

    def blobs(*places):
        return sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / 4.0) for a, b in places)

    dot = blobs((0, 0))
    bar = blobs(*((s, 0) for s in np.linspace(-reach, reach, 7)))
    bow = blobs(*((reach * math.cos(t), reach * math.sin(t)) for t in np.linspace(0, math.pi, 9)))
    return np.stack([shape / shape.max() for shape in (dot, bar, bow)])[:, None].astype(np.float32)


def make_shapes(n, size=24, seed=1, noise=0.05):
    """Templates at random angles and flips with noise: images (n, 1, size, size), answers (n,)."""
    rng = np.random.default_rng(seed)
    answers = np.arange(n) % 3
    images = rotate_images(
        torch.from_numpy(make_templates(size)[answers]),
        torch.from_numpy(rng.uniform(0.0, 2.0 * math.pi, n)),
        torch.from_numpy(rng.integers(0, 2, n).astype(bool)),
    )
    return images.numpy() + rng.normal(0.0, noise, images.shape).astype(np.float32), answers
