"""Compare images with prototypes at all angles and both flips at once, on rings.

With coefficients ``A`` of an image and ``B`` of a prototype (see `skysort.som.polar`) the product
of the two at angle phi is ``sum_m Re(G_m exp(i m phi))``, where ``G_m`` is the sum of ``conj(A) B``
over the rings: one batched matrix product for all modes, then one with the cosines and sines of the
angles. The squared distance is the sum of both norms minus twice that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from skysort.som.comparison import Comparison, View
from skysort.som.interpolation import spline_coefficients
from skysort.som.polar import PolarTransform
from skysort.som.rings import Rings

__all__ = ["Alignment", "Candidates", "OnRings", "PolarMatcher"]

#: Modes and angles of the first look. The radio and optical images that were tried differ in these
#: modes; the true best unit was among the first three for each of 300 FIRST images.
COARSE_MODES = 24
COARSE_ANGLES = 64
#: Low bits of a score that carry its angle through a maximum: room for COARSE_ANGLES / 2 + 1.
ANGLE_BITS = 63
#: Still fewer sort out all prototypes but some.
LOW_MODES = 12
LOW_ANGLES = 32
LONGLIST = 12
#: Units that are looked at with all modes and angles.
SHORTLIST = 4
#: What is worth the exact comparison, besides the best alignments of the two best units: squared
#: distances on rings that exceed the least one of the image, or that of another alignment (flip,
#: quarter turn) on the same unit, by no more than this share of it and this share of the norm.
NEAR_BEST = 0.03
NEAR_SAME = 0.02
NEAR_NORM = 0.001
#: Equal scores differ by rounding; within this share of the norms they count as tied.
ROUNDING = 1e-6


class OnRings(NamedTuple):
    """Images as rings know them.

    Attributes
    ----------
    coefficients : Tensor (Q, M, 2, N), float32
        See `skysort.som.polar`.
    norms, power : Tensor (N,), float32
        What an image adds to its squared distances at any angle, and its squared norm.
    """

    coefficients: Tensor
    norms: Tensor
    power: Tensor


@dataclass(frozen=True)
class Alignment:
    """How N images lie on each of K prototypes.

    Attributes
    ----------
    squared : Tensor (N, K), float32
        Squared distances over the window, not negative.
    angle_rad : Tensor (N, K), float32
        In [0, 2 pi); between the sampled angles by a parabola.
    flip : Tensor (N, K), bool
        Whether the image is mirrored left-right before it is turned.
    """

    squared: Tensor
    angle_rad: Tensor
    flip: Tensor

    @classmethod
    def joined(cls, parts: Sequence["Alignment"]) -> "Alignment":
        """Those of several."""
        return cls(*(torch.cat([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def put(self, unit: Tensor, angle_rad: Tensor, flip: Tensor) -> None:
        """Let each image lie on one unit (N,) as is known better, in place."""
        every = torch.arange(len(unit), device=unit.device)
        self.angle_rad[every, unit], self.flip[every, unit] = angle_rad, flip


@dataclass(frozen=True)
class Candidates:
    """Alignments that deserve the exact comparison.

    Attributes
    ----------
    image, unit : Tensor (L,), int64
        Which image on which prototype.
    flip : Tensor (L,), bool
        Whether the image is mirrored.
    step : Tensor (L,), int64
        Angle in steps of 2 pi / n_rotations, from 0 to n_rotations - 1.
    is_round : Tensor (L,), bool
        Whether the image as it is may be about as near to the unit.
    """

    image: Tensor
    unit: Tensor
    flip: Tensor
    step: Tensor
    is_round: Tensor

    def of(self, images: Tensor) -> "Candidates":
        """Give the images other numbers: they are those at `images` (N,) of a longer list."""
        return replace(self, image=images[self.image])

    def moved(self, rows: Tensor, step: Tensor) -> "Candidates":
        """Take some of them, at other steps."""
        flip, is_round = self.flip[rows], self.is_round[rows]
        return Candidates(self.image[rows], self.unit[rows], flip, step, is_round)

    @classmethod
    def joined(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """Those of several."""
        return cls(*(torch.cat([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    @classmethod
    def chosen(cls, alignment: "Alignment", which: Tensor, n_rotations: int) -> "Candidates":
        """Take some pairs of an alignment, `which` (N, K), at the nearest whole steps."""
        image, unit = which.nonzero().unbind(dim=1)
        turn = alignment.angle_rad[image, unit].double() * (n_rotations / (2.0 * math.pi))
        step = turn.round().long() % n_rotations
        flip = alignment.flip[image, unit]
        return cls(image, unit, flip, step, is_round=torch.zeros_like(flip))


class PolarMatcher(nn.Module):
    """K prototypes, made ready to be compared with images; a torch module without parameters.

    It works on the device of its prototypes; make another one to work elsewhere.

    Parameters
    ----------
    transform : PolarTransform
        Of images of the prototypes' size.
    comparison : Comparison
        The window.
    prototypes : Tensor (K, C, H, W), float32
        Square and finite.
    n_rotations : int
        Angles of the second look, a positive multiple of 4.
    use_flip : bool
        Whether mirror images are the same thing.
    smooth : bool, optional
        Compare what the rings keep of both, as befits images with images: one is at distance 0
        from itself, and what noise does between neighbouring pixels counts little. Otherwise the
        pixels of the prototypes are compared.
    """

    _prototypes: Tensor
    _plain: Tensor
    _norms: Tensor
    _low: Tensor
    _coarse: Tensor
    _fine: Tensor

    def __init__(
        self,
        transform: PolarTransform,
        comparison: Comparison,
        prototypes: Tensor,
        *,
        n_rotations: int,
        use_flip: bool,
        smooth: bool = False,
    ) -> None:
        super().__init__()
        self.transform, self.n_rotations, self.use_flip = transform, n_rotations, use_flip
        self.comparison, self.n_prototypes, self._smooth = comparison, len(prototypes), smooth
        self._own = prototypes.shape[1] * transform.n_radii  # rows of the image itself
        self.register_buffer("_prototypes", prototypes)
        self._masked: Tensor | None = None
        plain = self._made_ready(blank=False)  # (Q, M, 2, K)
        self.register_buffer("_plain", plain)
        norms = self._power(plain) if smooth else comparison.squared_norms(prototypes)
        self.register_buffer("_norms", norms)  # (K,)
        modes, device = transform.rings.n_modes, prototypes.device
        self._n_coarse = min(COARSE_MODES, modes)
        for name, n_modes, n_angles in (
            ("_low", min(LOW_MODES, modes), LOW_ANGLES),
            ("_coarse", self._n_coarse, COARSE_ANGLES),
            ("_fine", modes, n_rotations),
        ):
            waves = _waves(n_modes, n_angles, use_flip=use_flip)
            self.register_buffer(name, waves.to(device))  # (F, 2, J, M)

    def forward(self, images: Tensor) -> Alignment:
        """Align images (N, C, H, W) with all prototypes."""
        return self.align(self.sample(self.comparison.view(images)))

    @staticmethod
    def bytes_per_image(rings: Rings, n_prototypes: int, n_rotations: int) -> int:
        """Memory that matching takes for one image: samples, products, scores."""
        products = 4 * n_prototypes * (2 * rings.n_modes + COARSE_MODES + COARSE_ANGLES)
        fine = 4 * SHORTLIST * (rings.n_modes + 2 * n_rotations)
        samples = len(rings.radii) * (rings.n_angles + 4 * rings.n_modes)
        return 4 * (products + fine + samples)

    def sample(self, view: View) -> OnRings:
        """Sample images on rings."""
        coefficients = self.transform.coefficients(view.splines)
        if not self._smooth:
            return OnRings(coefficients, view.norms, view.power)
        power = self._power(coefficients)
        return OnRings(coefficients, power if self.comparison.is_disk else view.norms, power)

    def _power(self, coefficients: Tensor) -> Tensor:
        """Squared norms (N,) of the images that have these coefficients (Q, M, 2, N)."""
        return coefficients[: self._own].square().sum(dim=(0, 1, 2))

    def _made_ready(self, *, blank: bool) -> Tensor:
        """Make what coefficients of images are multiplied with (Q, M, 2, K)."""
        weights = self.comparison.weights(self._prototypes, blank=blank, whole=self._smooth)
        if self._smooth:
            return self.transform.coefficients(spline_coefficients(weights))
        return self.transform.adjoint(weights)

    def _of_prototypes(self, n_rows: int) -> Tensor:
        """Find what coefficients with `n_rows` rows are multiplied with."""
        if n_rows == len(self._plain):
            return self._plain
        if self._masked is None:
            self._masked = self._made_ready(blank=True)
        return self._masked

    def _products(self, coefficients: Tensor, n_modes: int) -> Tensor:
        """Multiply the first modes of images and prototypes, see `_multiply`."""
        prototypes = self._of_prototypes(len(coefficients))
        return _multiply(coefficients[:, :n_modes], prototypes[:, :n_modes])

    def align(self, images: OnRings) -> Alignment:
        """Find the best angle and flip of each image for each prototype, in the first modes."""
        products = self._products(images.coefficients, self._n_coarse)
        angle, flip, score = _peaks(*self._halves(products, self._coarse))
        squared = images.norms[:, None] + self._norms - 2.0 * score
        return Alignment(squared=squared.clamp_min_(0.0), angle_rad=angle, flip=flip)

    def shortlist(self, images: OnRings) -> Candidates:
        """Choose the few alignments of each image that may be the best or second-best unit.

        A first look at all prototypes in the first modes, a second one at the nearest of them with
        all modes and angles. At least two prototypes of each image are among the candidates, and
        of each of these at most one alignment for each flip and quarter turn.
        """
        products = self._products(images.coefficients, self.transform.rings.n_modes)
        units = self._nearest(products[: self._n_coarse], images.power)  # (N, S)
        curves = self._curves(_of_units(products, units))  # (E, J, N, S)
        quarter = self.n_rotations // 4 + 1
        tops = [part.amax(dim=1) for part in (curves[:, :quarter], curves[:, quarter:])]
        fixed = images.norms[:, None] + self._norms[units]
        squared = fixed - 2.0 * torch.cat(tops)  # (2 E, N, S)
        nearest = squared.amin(dim=0)  # (N, S)
        sector, image, slot = self._worth(squared, nearest, images.power).nonzero().unbind(dim=1)
        edge, beyond = sector % len(curves), sector >= len(curves)
        scale = self._norms[units] + images.power[:, None]
        step = self._steps(curves[edge, :, image, slot], edge, beyond, scale[image, slot])
        unturned = fixed - 2.0 * curves[0, 0]  # (N, S)
        still = unturned <= self._same(nearest, images.power)
        return Candidates(image, units[image, slot], edge >= 2, step, still[image, slot])

    def _nearest(self, products: Tensor, power: Tensor) -> Tensor:
        """Nearest prototypes (N, S) in the first modes; ties go to the lowest index.

        The very first modes sort out most of them.
        """
        every = torch.arange(self.n_prototypes, device=power.device).expand(len(power), -1)
        some = self._best_of(every, products[: self._low.shape[-1]], self._low, LONGLIST, power)
        return self._best_of(some, _of_units(products, some), self._coarse, SHORTLIST, power)

    def _best_of(
        self, units: Tensor, products: Tensor, waves: Tensor, n_best: int, power: Tensor
    ) -> Tensor:
        """Choose the `n_best` nearest of each image's units (N, S) by their products."""
        if units.shape[1] <= n_best:
            return units
        even, odd = self._halves(products, waves)
        score = even.add_(odd.abs_()).amax(dim=(0, 1))
        squared = self._norms[units] - 2.0 * score  # (N, S); the image's own norm ranks nothing
        squared += self._tie_break(power, units)
        best = torch.topk(squared, n_best, largest=False, sorted=False).indices
        return units.gather(1, best.sort(dim=1).values)

    def _tie_break(self, power: Tensor, units: Tensor) -> Tensor:
        """Make what is added to squared distances (N, S), so that of equal ones the first wins."""
        scale = ROUNDING * (self._norms[units] + power[:, None])
        return scale * torch.arange(units.shape[1], device=power.device) / units.shape[1]

    def _curves(self, products: Tensor) -> Tensor:
        """Products at all angles (E, J, N, S): upwards and downwards from 0, then mirrored."""
        even, odd = self._halves(products, self._fine)
        return torch.stack([even - odd, even.add_(odd)], dim=1).flatten(0, 1)

    def _halves(self, products: Tensor, waves: Tensor) -> tuple[Tensor, Tensor]:
        """Even and odd part (F, J, N, S) of products (M, 2, N, 2, S) as functions of the angle.

        Not mirrored and mirrored. At +phi the product is even - odd, at -phi even + odd: half of
        the angles tell all.
        """
        n_modes, _, n, _, n_units = products.shape
        real, imaginary = products[:, 0], products[:, 1]  # of the image; (M, N, 2, S)
        ac, ad, bc, bd = real[:, :, 0], real[:, :, 1], imaginary[:, :, 0], imaginary[:, :, 1]
        shape = (len(waves), waves.shape[2], n * n_units)
        even, odd = products.new_empty(shape), products.new_empty(shape)
        for flip, (cosine, sine) in enumerate(waves):
            sign = 1 - 2 * flip
            torch.mm(cosine, torch.add(ac, bd, alpha=sign).reshape(n_modes, -1), out=even[flip])
            torch.mm(sine, torch.sub(ad, bc, alpha=sign).reshape(n_modes, -1), out=odd[flip])
        return even.view(*shape[:2], n, n_units), odd.view(*shape[:2], n, n_units)

    def _worth(self, squared: Tensor, nearest: Tensor, power: Tensor) -> Tensor:
        """Which squared distances (E, N, S) are worth an exact look; `nearest` (N, S) is theirs."""
        two = nearest.topk(2, dim=1, largest=False).values.clamp_min(0.0)
        limit = two[:, :1] * (1.0 + NEAR_BEST) + NEAR_NORM * power[:, None]
        contends = squared <= torch.minimum(limit, self._same(nearest, power))
        return contends | (squared <= torch.minimum(nearest, two[:, 1:]))

    def _same(self, squared: Tensor, power: Tensor) -> Tensor:
        """Squared distances (N, S) up to which another alignment on a unit is as good."""
        return squared.clamp_min(0.0) * (1.0 + NEAR_SAME) + NEAR_NORM * power[:, None]

    def _steps(self, curves: Tensor, edge: Tensor, beyond: Tensor, scale: Tensor) -> Tensor:
        """First angle (L,) at which a quarter of each curve (L, J) reaches its maximum, in steps.

        The quarter is the one at the edge, from no turn on, or the one `beyond` (L,). Rounding is
        of the size of `scale` (L,).
        """
        index = torch.arange(curves.shape[1], device=curves.device)
        outside = (index > self.n_rotations // 4) != beyond[:, None]
        curves = curves.masked_fill(outside, -torch.inf)
        peak = curves.amax(dim=1, keepdim=True)
        reached = curves >= peak - ROUNDING * scale[:, None]
        first = torch.where(reached, index, len(index)).amin(dim=1)
        last = torch.where(reached, index, -1).amax(dim=1)
        downwards = edge % 2 == 1
        return torch.where(downwards, self.n_rotations - last, first) % self.n_rotations


def _multiply(images: Tensor, prototypes: Tensor) -> Tensor:
    """Multiply coefficients (Q, M, 2, N) and (Q, M, 2, K): sums over Q, (M, 2, N, 2, K).

    Real and imaginary parts of the one against both of the other.
    """
    left = images.flatten(2).permute(1, 2, 0)  # (M, 2 N, Q)
    right = prototypes.flatten(2).permute(1, 0, 2)  # (M, Q, 2 K)
    return torch.bmm(left, right).view(-1, 2, images.shape[-1], 2, prototypes.shape[-1])


def _of_units(products: Tensor, units: Tensor) -> Tensor:
    """Products (M, 2, N, 2, S) of each image with its own units (N, S)."""
    n_modes, _, n, _, _ = products.shape
    index = units.view(1, 1, n, 1, -1).expand(n_modes, 2, n, 2, units.shape[1])
    return products.gather(4, index)


def _waves(n_modes: int, n_angles: int, *, use_flip: bool) -> Tensor:
    """Cosines and sines (F, 2, J, M) of the modes at the angles of half a turn, both ends included.

    For images as they are, and mirrored ones, which have the factor (-1)^m.
    """
    angle = 2.0 * math.pi / n_angles * torch.arange(n_angles // 2 + 1, dtype=torch.float64)
    phase = angle[:, None] * torch.arange(n_modes)
    waves = torch.stack([torch.cos(phase), torch.sin(phase)]).float()
    if not use_flip:
        return waves[None]
    mirrored = waves.clone()
    mirrored[..., 1::2] *= -1.0
    return torch.stack([waves, mirrored])


def _peaks(even: Tensor, odd: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Angle, flip and height (N, K) of the highest point of the product over angles and flips.

    Of even and odd parts (F, J, N, K): the vertex of the parabola around the best sampled angle.
    """
    tops = _tops(even, odd)  # (F, N, K)
    top = tops.amax(dim=0)
    flip = tops[-1] > tops[0]
    index = (ANGLE_BITS - (top.view(torch.int32) & ANGLE_BITS)).long()  # (N, K)
    n_angles, stride = even.shape[1], top.numel()
    first = torch.arange(stride, device=top.device).view(top.shape) + flip * (n_angles * stride)
    last = n_angles - 1
    sign = torch.where(odd.take(first + index * stride) > 0.0, -1.0, 1.0)

    def height(offset: int) -> Tensor:
        beyond = index + offset
        inside = torch.where(beyond > last, 2 * last - beyond, beyond.abs())
        turned = torch.where(inside == beyond, sign, -sign)
        place = first + inside * stride
        return even.take(place) - turned * odd.take(place)

    before, here, after = height(-1), height(0), height(1)
    shift, gain = parabola(before, here, after)
    angle = sign * (index + shift) * (math.pi / last)
    return angle.remainder(2.0 * math.pi), flip, here + gain


def _tops(even: Tensor, odd: Tensor) -> Tensor:
    """Highest values (F, N, K) over the angles, with the angle's index in their low bits.

    So one maximum finds both: an `amax` takes a tenth of the time of a `max` with indices, and
    2**-18 of the value is lost. The first index has the highest bits, so that it wins ties; of
    negative values it is the last one.
    """
    scores = odd.abs().add_(even)
    index = ANGLE_BITS - torch.arange(scores.shape[1], device=scores.device, dtype=torch.int32)
    bits = scores.view(torch.int32)
    bits &= ~ANGLE_BITS
    bits |= index.view(-1, 1, 1)
    return scores.amax(dim=1)


def parabola(before: Tensor, here: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Vertex of the parabola through three equidistant values: its place and its gain.

    Returns
    -------
    shift : Tensor
        From -0.5 to 0.5 steps; 0 where the three are equal.
    gain : Tensor
        Value at the vertex minus `here`.

    Examples
    --------
    >>> shift, gain = parabola(torch.tensor(0.0), torch.tensor(3.0), torch.tensor(2.0))
    >>> round(shift.item(), 3), round(gain.item(), 3)
    (0.25, 0.125)
    """
    slope, bend = after - before, before - 2.0 * here + after
    shift = torch.where(bend == 0.0, torch.zeros_like(bend), -0.5 * slope / bend)
    shift = shift.clamp(-0.5, 0.5)
    return shift, 0.25 * slope * shift
