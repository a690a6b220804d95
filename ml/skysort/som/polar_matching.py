"""Compare images with prototypes at all angles and both flips at once, on rings.

With coefficients ``A`` of an image and ``B`` of a prototype (see `skysort.som.polar`) the product
of the two over the disk at angle phi is ``sum_m Re(G_m exp(i m phi))``, where ``G_m`` is the sum of
``conj(A) B`` over the rings: one batched matrix product for all modes, then one with the cosines
and sines of the angles. The squared distance is ``|A|^2 + |B|^2`` minus twice that.

Two things are extra channels of the same sum and cost nothing where they are not used. PINK's
square window stands still while the image turns, so the norm of what it sees depends on the angle:
the squared image against the window. Blank pixels take their share of the prototype's norm away:
the blank pixels against the squared prototype.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from skysort.som.cores import CoreMatcher
from skysort.som.matching import Window, window_mask
from skysort.som.polar import PolarTransform
from skysort.som.rings import Rings

__all__ = ["Alignment", "Candidates", "PolarMatcher"]

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
#: What is worth the exact comparison, besides the best alignment on the second-best unit: polar
#: distances that exceed the least one by this share, and by this share of the image's norm. On
#: 2,000 noisy synthetic sources and 1,200 of FIRST that kept the best unit of 99.8 %.
NEAR_BEST = 0.05
NEAR_NORM = 0.001
#: The same between two alignments (flips, half turns) on one unit.
NEAR_SAME = 0.02
NEAR_SAME_NORM = 0.0005
#: An image this near to its best unit, as a share of its norm, has its core compared exactly, with
#: this many units: the errors of rings are of the size of its distance.
NEAR_CORE = 0.05
CORE_UNITS = 2
#: Radius of the disk in pixels for which these shares hold. Rings sample a smaller image less
#: well: what is added to them grows twice as fast as the inverse square of its radius, and its
#: core does not have the only word.
LARGE = 31.5
#: Lists of a smaller image are so many times as long, at most.
MOST_TIMES = 2.0
#: Equal scores differ by rounding; within this share of the norms they count as tied.
ROUNDING = 1e-6


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

    def best_two(self) -> tuple[Tensor, Tensor]:
        """Best and second-best prototypes (N,); ties go to the lowest index."""
        best = self.squared.min(dim=1).indices
        rest = self.squared.scatter(1, best[:, None], torch.inf)
        return best, rest.min(dim=1).indices


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
    leads : Tensor (L,), bool
        Whether it seems to be the nearest one of its image.
    """

    image: Tensor
    unit: Tensor
    flip: Tensor
    step: Tensor
    is_round: Tensor
    leads: Tensor

    def of(self, images: Tensor) -> "Candidates":
        """Give the images other numbers: they are those at `images` (N,) of a longer list."""
        return replace(self, image=images[self.image])

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
        no = torch.zeros_like(flip)
        return cls(image, unit, flip, step, is_round=no, leads=~no)


class PolarMatcher(nn.Module):
    """K prototypes, made ready to be compared with images; a torch module without parameters.

    Parameters
    ----------
    transform : PolarTransform
        Of images of the prototypes' size.
    prototypes : Tensor (K, C, H, W), float32
        Square and finite.
    n_rotations : int
        Angles of the second look, a positive multiple of 4.
    use_flip : bool
        Whether mirror images are the same thing.
    window, radius
        See `skysort.som.matching.window_mask`.
    """

    _plain: Tensor
    _norms: Tensor
    _blanked: Tensor
    _low: Tensor
    _coarse: Tensor
    _fine: Tensor
    _inner: Tensor
    _turned: Tensor

    def __init__(
        self,
        transform: PolarTransform,
        prototypes: Tensor,
        *,
        n_rotations: int,
        use_flip: bool,
        window: Window,
        radius: float | None = None,
    ) -> None:
        super().__init__()
        self.transform, self.n_rotations, self.use_flip = transform, n_rotations, use_flip
        self.n_prototypes = len(prototypes)
        self._square = window == "square"
        size = prototypes.shape[-1]
        mask = window_mask(size, window, radius).to(prototypes.device)
        seen = prototypes * mask if self._square else prototypes
        parts = [seen]
        if self._square:
            parts.append((-0.5 * mask).expand(len(seen), 1, size, size))
        plain = transform.coefficients(torch.cat(parts, dim=1))  # (Q, M, 2, K)
        self.register_buffer("_plain", plain)
        n_own = seen.shape[1] * transform.rings.n_rings
        self.register_buffer("_norms", plain[:n_own].square().sum(dim=(0, 1, 2)))  # (K,)
        self.register_buffer("_blanked", 0.5 * seen.square())
        self._cores = CoreMatcher(
            prototypes, transform.rings, n_rotations=n_rotations, use_flip=use_flip
        )
        self._slack = slack(transform.rings.radius)
        more = min(MOST_TIMES, self._slack)
        self._n_long, self._n_short = round(more * LONGLIST), round(more * SHORTLIST)
        self._masked: Tensor | None = None
        modes, device = transform.rings.n_modes, prototypes.device
        self._n_coarse = min(COARSE_MODES, modes)
        self.register_buffer("_low", _waves(min(LOW_MODES, modes), LOW_ANGLES, device))
        self.register_buffer("_coarse", _waves(self._n_coarse, COARSE_ANGLES, device))
        self.register_buffer("_fine", _waves(modes, n_rotations, device))

        rings = torch.arange(len(plain), device=device) % transform.rings.n_rings
        inner = (rings < self._cores.n_rings).nonzero().squeeze(1)
        self.register_buffer("_inner", inner)  # rows of the coefficients in the cores
        turned = [
            _waves_at(modes, 2.0 * math.pi / n_rotations * self._cores.step[self._cores.flip == f])
            for f in self._flips()
        ]
        self.register_buffer("_turned", torch.stack(turned))  # (F, 2, A / F, M)

    def forward(self, images: Tensor) -> Alignment:
        """Align images (N, C, H, W) with all prototypes."""
        return self.align(self.coefficients(images))

    @staticmethod
    def bytes_per_image(rings: Rings, n_prototypes: int, n_rotations: int) -> int:
        """Memory that matching takes for one image: samples, products, scores."""
        products = 4 * n_prototypes * (2 * rings.n_modes + COARSE_MODES + COARSE_ANGLES)
        fine = 4 * round(MOST_TIMES * SHORTLIST) * (rings.n_modes + 2 * n_rotations)
        samples = rings.n_rings * (rings.n_angles + 4 * rings.n_modes)
        return 4 * (products + fine + samples)

    def coefficients(self, images: Tensor, blank: Tensor | None = None) -> Tensor:
        """Coefficients (Q, M, 2, N) of images (N, C, H, W) with all channels that matching needs.

        Where `blank` (N, C, H, W) is True the images must be 0.
        """
        parts = [images]
        if self._square:
            parts.append(images.square().sum(dim=1, keepdim=True))
        if blank is not None:
            parts.append(blank.to(images.dtype))
        return self.transform.coefficients(torch.cat(parts, dim=1) if len(parts) > 1 else images)

    def _prototypes(self, n_rows: int) -> Tensor:
        """Coefficients of the prototypes for images whose coefficients have `n_rows` rows."""
        if n_rows == len(self._plain):
            return self._plain
        if self._masked is None:
            self._masked = torch.cat([self._plain, self.transform.coefficients(self._blanked)])
        return self._masked

    def _base(self, coefficients: Tensor) -> Tensor:
        """Squared norms (N,): what an image adds to its squared distances at any angle."""
        if self._square:
            return coefficients.new_zeros(coefficients.shape[-1])
        n_own = self._blanked.shape[1] * self.transform.rings.n_rings
        return coefficients[:n_own].square().sum(dim=(0, 1, 2))

    def _products(self, coefficients: Tensor, n_modes: int) -> Tensor:
        """Multiply the first modes of images and prototypes, see `_multiply`."""
        prototypes = self._prototypes(len(coefficients))
        return _multiply(coefficients[:, :n_modes], prototypes[:, :n_modes])

    def align(self, coefficients: Tensor) -> Alignment:
        """Find the best angle and flip of each image for each prototype, in the first modes."""
        products = self._products(coefficients, self._n_coarse)
        cosine, sine = self._coarse
        halves = [_halves(products, flip, cosine, sine) for flip in self._flips()]
        angle, flip, score = _peaks(halves)
        squared = self._base(coefficients)[:, None] + self._norms - 2.0 * score
        return Alignment(squared=squared.clamp_min_(0.0), angle_rad=angle, flip=flip)

    def _flips(self) -> tuple[bool, ...]:
        return (False, True) if self.use_flip else (False,)

    def shortlist(
        self, splines: Tensor, coefficients: Tensor, blank: Tensor | None = None
    ) -> Candidates:
        """Choose the few alignments of each image that may be the best or second-best unit.

        A first look at all prototypes in the first modes, a second one at the nearest of them with
        all modes and angles, and for images that resemble their prototype a third one at the
        pixels of the core. At least two prototypes of each image are among the candidates.

        Parameters
        ----------
        splines : Tensor (N, C, H, W), float32
            Spline coefficients of the images.
        coefficients : Tensor (Q, M, 2, N)
            Of these images, from `coefficients`.
        blank : Tensor (N, C, H, W), bool, optional
            Where the images are blank.
        """
        products = self._products(coefficients, self.transform.rings.n_modes)
        base = self._base(coefficients)
        units = self._nearest(products[: self._n_coarse], base)  # (N, S)
        curves = self._curves(_of_units(products, units))  # (E, J, N, S)
        squared = base[:, None] + self._norms[units] - 2.0 * curves.amax(dim=1)  # (E, N, S)
        worth = self._worth(squared, base)
        near = squared.amin(dim=(0, 2)) < NEAR_CORE * self._scale(base)
        if blank is not None:
            near &= ~blank.flatten(1).any(dim=1)
        if self._slack == 1.0:
            worth &= ~near[:, None]
        edge, image, slot = worth.nonzero().unbind(dim=1)
        step = self._steps(curves[edge, :, image, slot], edge, base[image])
        unturned = base[:, None] + self._norms[units] - 2.0 * curves[0, 0]  # (N, S)
        still = unturned <= self._same(squared.amin(dim=0), base)
        leads = squared[edge, image, slot] <= squared.amin(dim=(0, 2))[image]
        far = Candidates(image, units[image, slot], edge >= 2, step, still[image, slot], leads)
        rows = near.nonzero().squeeze(1)
        if len(rows) == 0:
            return far
        nearest = squared[:, rows].amin(dim=0)  # (n, S)
        nearest += self._tie_break(base[rows], nearest.shape[1])
        slots = nearest.topk(min(CORE_UNITS, nearest.shape[1]), dim=1, largest=False).indices
        units = units[rows].gather(1, slots)
        inner = coefficients[self._inner][..., rows]
        outside = _pick(products, rows, units)
        cores = self._by_core(splines[rows], inner, outside, base[rows], units)
        return Candidates.joined([far, cores.of(rows)])

    def _by_core(
        self, splines: Tensor, inner: Tensor, products: Tensor, base: Tensor, units: Tensor
    ) -> Candidates:
        """Candidates by the pixels of the core, which take the place of the rings there.

        Of images with the spline coefficients (n, C, H, W), with the coefficients `inner` of the
        rings of their cores, and with their products (n, S, M, 2, 2) on all rings with their own
        units (n, S).
        """
        fade = self._cores.fade.repeat(len(self._inner) // self._cores.n_rings).view(-1, 1, 1, 1)
        prototypes = self._plain[self._inner] * fade
        own = slice(0, self._blanked.shape[1] * self._cores.n_rings)
        whole = base
        if not self._square:
            base = base - (inner[own].square() * fade[own]).sum(dim=(0, 1, 2))
        norms = self._norms - (self._plain[self._inner][own] * prototypes[own]).sum(dim=(0, 1, 2))
        every = torch.arange(len(units), device=units.device)
        products = products - _pick(_multiply(inner, prototypes), every, units)
        outside = torch.cat([_along(products, f, w) for f, w in enumerate(self._turned)], dim=2)
        mixed = (base[:, None] + norms[units])[..., None] - 2.0 * outside  # (n, S, A)
        mixed += self._cores.squared(splines, units)
        unturned, n_steps = mixed[..., 0], self._cores.n_steps
        sectors, place = mixed.view(*units.shape, -1, n_steps).min(
            dim=3
        )  # (n, S, E): quarter, flip
        squared = sectors.amin(dim=2).clamp_min_(0.0)  # (n, S)
        norm = self._slack * self._scale(whole)[:, None]
        two = squared.topk(2, dim=1, largest=False).values
        limit = two[:, :1] * (1.0 + NEAR_BEST) + NEAR_SAME_NORM * norm
        same = self._same(squared, whole)
        worth = sectors <= torch.minimum(limit, same)[..., None]
        worth |= sectors <= torch.minimum(squared, two[:, 1:])[..., None]
        image, slot, sector = worth.nonzero().unbind(dim=1)
        chosen = sector * n_steps + place[image, slot, sector]
        still = (unturned <= same)[image, slot]
        return Candidates(
            image,
            units[image, slot],
            self._cores.flip[chosen],
            self._cores.step[chosen],
            still,
            leads=sectors[image, slot, sector] <= two[image, 0],
        )

    def _nearest(self, products: Tensor, base: Tensor) -> Tensor:
        """Nearest prototypes (N, S) in the first modes; ties go to the lowest index.

        The very first modes sort out most of them.
        """
        every = torch.arange(self.n_prototypes, device=base.device).expand(len(base), -1)
        some = self._best_of(every, products[: self._low.shape[2]], self._low, self._n_long, base)
        return self._best_of(some, _of_units(products, some), self._coarse, self._n_short, base)

    def _best_of(
        self, units: Tensor, products: Tensor, waves: Tensor, n_best: int, base: Tensor
    ) -> Tensor:
        """Choose the `n_best` nearest of each image's units (N, S) by their products."""
        if units.shape[1] <= n_best:
            return units
        scores = []
        for flip in self._flips():
            even, odd = _halves(products, flip, *waves)
            scores.append(even.add_(odd.abs_()).amax(dim=0))
        score = scores[0] if len(scores) == 1 else torch.maximum(*scores)
        squared = self._norms[units] - 2.0 * score  # (N, S); the image's own norm ranks nothing
        squared += self._tie_break(base, units.shape[1])
        best = torch.topk(squared, n_best, largest=False, sorted=False).indices
        return units.gather(1, best.sort(dim=1).values)

    def _tie_break(self, base: Tensor, n: int) -> Tensor:
        """Make what is added to squared distances (N, n), so that of equal ones the first wins."""
        scale = ROUNDING * (self._norms.amax() + base[:, None])
        return scale * torch.arange(n, device=base.device) / n

    def _curves(self, products: Tensor) -> Tensor:
        """Products at all angles (E, J, N, S): upwards and downwards from 0, then mirrored."""
        curves = []
        for flip in self._flips():
            even, odd = _halves(products, flip, *self._fine)
            curves += [even - odd, even.add_(odd)]
        return torch.stack(curves)

    def _worth(self, squared: Tensor, base: Tensor) -> Tensor:
        """Which squared distances (E, N, S) are worth an exact look."""
        norm = self._slack * self._scale(base)[:, None]
        unit = squared.amin(dim=0)  # (N, S)
        two = unit.topk(2, dim=1, largest=False).values.clamp_min(0.0)
        limit = two[:, :1] * (1.0 + NEAR_BEST) + NEAR_NORM * norm
        contends = (squared <= limit) & (squared <= self._same(unit, base))
        return contends | (squared <= torch.minimum(unit, two[:, 1:]))

    def _same(self, squared: Tensor, base: Tensor) -> Tensor:
        """Squared distances (N, S) up to which another alignment on a unit is as good."""
        norm = self._slack * self._scale(base)[:, None]
        return squared.clamp_min(0.0) * (1.0 + NEAR_SAME) + NEAR_SAME_NORM * norm

    def _scale(self, base: Tensor) -> Tensor:
        """Squared norm (N,) of the images, or what stands for it in the square window."""
        return base + self._norms.mean() if self._square else base

    def _steps(self, curves: Tensor, edge: Tensor, base: Tensor) -> Tensor:
        """First angle of each curve (L, J) that reaches its maximum, in steps of a full turn."""
        peak = curves.amax(dim=1, keepdim=True)
        reached = curves >= peak - ROUNDING * (base[:, None] + self._norms.amax())
        index = torch.arange(curves.shape[1], device=curves.device)
        downwards = edge % 2 == 1
        first = torch.where(reached, index, len(index)).amin(dim=1)
        last = torch.where(reached, index, -1).amax(dim=1)
        return torch.where(downwards, self.n_rotations - last, first) % self.n_rotations


def slack(radius: float) -> float:
    """Factor of the shares that are added to rings of a disk of this radius in pixels.

    Examples
    --------
    >>> slack(31.5), slack(100.0), slack(15.75)
    (1.0, 1.0, 7.0)
    """
    return max(1.0, 2.0 * (LARGE / radius) ** 2 - 1.0)


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


def _pick(products: Tensor, rows: Tensor, units: Tensor) -> Tensor:
    """Products (n, S, M, 2, 2) of some images (n,) with their own units (n, S)."""
    picked: Tensor = products.permute(2, 4, 0, 1, 3)[rows[:, None], units]
    return picked


def _along(products: Tensor, flip: int, waves: Tensor) -> Tensor:
    """Products (n, S, J) at the angles of some waves (2, J, M), of `_pick`'s; mirrored or not."""
    ac, ad, bc, bd = products.flatten(3).unbind(dim=3)  # (n, S, M) each
    sign = 1 - 2 * flip
    even, odd = ac + sign * bd, ad - sign * bc
    cosine, sine = waves
    if flip:  # a mirrored image has the factor (-1)^m
        even[..., 1::2] *= -1.0
        odd[..., 1::2] *= -1.0
    along: Tensor = even @ cosine.T - odd @ sine.T
    return along


def _waves(n_modes: int, n_angles: int, device: torch.device) -> Tensor:
    """Cosines and sines (2, J, M) of the modes at the angles of half a turn, both ends included."""
    angle = 2.0 * math.pi / n_angles * torch.arange(n_angles // 2 + 1, dtype=torch.float64)
    return _waves_at(n_modes, angle.to(device))


def _waves_at(n_modes: int, angle_rad: Tensor) -> Tensor:
    """Cosines and sines (2, J, M) of the modes at angles (J,)."""
    phase = angle_rad[:, None].double() * torch.arange(n_modes, device=angle_rad.device)
    return torch.stack([torch.cos(phase), torch.sin(phase)]).float()


def _halves(products: Tensor, flip: bool, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
    """Even and odd part (J, N, K) of the product as a function of the angle.

    At +phi it is even - odd, at -phi even + odd: half of the angles tell all.
    """
    n_modes, _, n, _, n_units = products.shape
    real, imaginary = products[:, 0], products[:, 1]  # of the image; (M, N, 2, K)
    ac, ad, bc, bd = real[:, :, 0], real[:, :, 1], imaginary[:, :, 0], imaginary[:, :, 1]
    even, odd = (ac - bd, ad + bc) if flip else (ac + bd, ad - bc)
    if flip:  # a mirrored image has the factor (-1)^m
        cosine, sine = cosine.clone(), sine.clone()
        cosine[:, 1::2] *= -1.0
        sine[:, 1::2] *= -1.0
    shape = (-1, n, n_units)
    return (cosine @ even.reshape(n_modes, -1)).view(shape), (sine @ odd.reshape(n_modes, -1)).view(
        shape
    )


def _peaks(halves: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Angle, flip and height (N, K) of the highest point of the product over angles and flips."""
    tops = [_encode(even + odd.abs()).amax(dim=0) for even, odd in halves]
    top = tops[0]
    flip = torch.zeros_like(top, dtype=torch.bool)
    if len(tops) == 2:
        flip = tops[1] > tops[0]
        top = torch.maximum(*tops)
    index = (ANGLE_BITS - (top.view(torch.int32) & ANGLE_BITS)).long()  # (N, K)
    even = torch.stack([half[0] for half in halves])  # (F, J, N, K)
    odd = torch.stack([half[1] for half in halves])
    last = even.shape[1] - 1
    sign = torch.where(_at(odd, flip, index) > 0.0, -1.0, 1.0)

    def height(offset: int) -> Tensor:
        beyond = index + offset
        inside = torch.where(beyond > last, 2 * last - beyond, beyond.abs())
        turned = torch.where(inside == beyond, sign, -sign)
        return _at(even, flip, inside) - turned * _at(odd, flip, inside)

    before, here, after = height(-1), height(0), height(1)
    shift, gain = parabola(before, here, after)
    angle = sign * (index + shift) * (math.pi / last)
    return torch.remainder(angle, 2.0 * math.pi), flip, here + gain


def _encode(scores: Tensor) -> Tensor:
    """Put the angle's index (J, N, K) into the low bits, so that one maximum finds both.

    An `amax` takes a tenth of the time of a `max` with indices; 2**-18 of the score is lost. The
    first index has the highest bits, so that it wins ties.
    """
    index = ANGLE_BITS - torch.arange(len(scores), device=scores.device, dtype=torch.int32)
    bits = scores.view(torch.int32) & ~ANGLE_BITS
    return (bits | index.view(-1, 1, 1)).view(torch.float32)


def _at(values: Tensor, flip: Tensor, index: Tensor) -> Tensor:
    """Values (F, J, N, K) at one flip and one angle (N, K) each."""
    n_angles = values.shape[1]
    place = torch.where(flip, index + n_angles, index)
    return values.flatten(0, 1).gather(0, place[None])[0]


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
