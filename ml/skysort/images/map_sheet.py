"""Draws a whole map as one picture: its prototypes, its borders and its hits, side by side."""

import math
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from skysort.errors import InputError
from skysort.images.render import COLORMAPS, render_png

__all__ = ["draw_map_sheet"]

Topology = Literal["rectangular", "hexagonal"]
Color = tuple[int, int, int]

SHEET_WIDTH: Final = 900  # pixels along the longer side of the prototypes
HEAT_WIDTH: Final = 400  # the same of a heat map: both stand one above the other beside the sheet
TILE_RANGE: Final = (24, 160)  # pixels of a prototype: still a shape, not yet a poster
CELL_RANGE: Final = (7, 80)  # pixels of a cell of a heat map
GAP: Final = 2  # pixels between tiles; one between small ones
SMALL_TILE: Final = 40
MARGIN: Final = 28  # around everything and between the panels
BAR_HEIGHT: Final = 14  # of the scale beneath a heat map
MINIMUM_PANEL: Final = 260  # pixels that a heading and a scale need to be legible
MAX_NUMBERS: Final = 16  # rows or columns that are numbered one by one
TEXT: Final = 16  # pixels
TITLE: Final = 24
WHITE: Final[Color] = (255, 255, 255)
INK: Final[Color] = (24, 27, 33)
FAINT: Final[Color] = (96, 102, 112)
HEX_ROW: Final = math.sqrt(3.0) / 2.0  # from one row of hexagons to the next, in pitches
HEX_CELL: Final = 2.0 / math.sqrt(3.0)  # height of a hexagon, in pitches


def draw_map_sheet(
    prototypes: ArrayLike,
    *,
    title: str,
    topology: Topology = "rectangular",
    u_matrix: ArrayLike | None = None,
    hits: ArrayLike | None = None,
    stretch: str = "linear",
) -> bytes:
    """Draw prototypes as their grid, and beside them U-matrix and hits as heat maps.

    Parameters
    ----------
    prototypes : array_like, (rows, columns, C, H, W)
        Each with its own scale, see `skysort.images.render.render_png`. Row 0 of the grid is at
        the top, as one reads; row 0 of each picture is at its bottom, as on the sky.
    title : str
        The first line of the sheet.
    topology : {"rectangular", "hexagonal"}, optional
        Odd rows of a hexagonal grid stand half a step to the right.
    u_matrix, hits : array_like, (rows, columns), optional
        Distance of each prototype from its neighbours, and number of images; finite. What is
        missing is not drawn.
    stretch : str, optional
        Of the prototypes. Those of a map were trained on stretched pixels, hence linear.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    InputError
        If the shapes differ or a number is not finite.
    """
    grid = np.asarray(prototypes)
    if grid.ndim != 5 or 0 in grid.shape:
        raise InputError(
            f"prototypes must have shape (rows, columns, C, H, W), none zero, got {grid.shape}"
        )
    panels = [
        _heat_panel(name, _checked(name, values, grid.shape[:2]), topology, said)
        for name, values, said in (
            ("U-matrix", u_matrix, "mean distance to adjacent prototypes"),
            ("Hits", hits, "images on each prototype"),
        )
        if values is not None
    ]
    return _png(_page(title, _prototype_panel(grid, topology, stretch), panels))


@dataclass(frozen=True)
class _Lattice:
    """Where the cells of a grid lie on a panel, in pixels."""

    rows: int
    columns: int
    topology: Topology
    pitch: int  # from one cell to the next in a row
    row_height: float = 1.0  # from one row to the next, in pitches
    cell_height: float = 1.0  # in pitches

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of all cells."""
        shift = 0.5 if self.topology == "hexagonal" and self.rows > 1 else 0.0
        height = (self.rows - 1) * self.row_height + self.cell_height
        return round((self.columns + shift) * self.pitch), round(height * self.pitch)

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Left upper corner of a cell."""
        shift = 0.5 * (row % 2) if self.topology == "hexagonal" else 0.0
        return round((column + shift) * self.pitch), round(row * self.row_height * self.pitch)


def _pitch(rows: int, columns: int, length: int, limits: tuple[int, int]) -> int:
    low, high = limits
    return max(low, min(high, length // max(rows, columns)))


def _checked(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise InputError(
            f"{name} must be finite and of the map's shape {shape}, got shape {numbers.shape}"
        )
    return numbers


def _prototype_panel(grid: NDArray[np.generic], topology: Topology, stretch: str) -> Image.Image:
    rows, columns = grid.shape[:2]
    lattice = _Lattice(rows, columns, topology, _pitch(rows, columns, SHEET_WIDTH, TILE_RANGE))
    gap = GAP if lattice.pitch > SMALL_TILE else 1
    left, top = 30, 2 * TEXT + 22
    width, height = lattice.size
    panel, pen = _empty(max(left + width, MINIMUM_PANEL), top + height)
    _write(pen, (0, 0), "Prototypes")
    for row, column in np.ndindex(rows, columns):
        png = render_png(grid[row, column], size=lattice.pitch - gap, stretch=stretch)
        x, y = lattice.corner(row, column)
        panel.paste(Image.open(BytesIO(png)).convert("RGB"), (left + x, top + y))
    middle = lattice.pitch // 2
    for row in _numbered(rows):
        place = (left - 8, top + lattice.corner(row, 0)[1] + middle)
        _write(pen, place, str(row), anchor="rm", color=FAINT)
    for column in _numbered(columns):
        place = (left + lattice.corner(0, column)[0] + middle, top - 6)
        _write(pen, place, str(column), anchor="mb", color=FAINT)
    return panel


def _numbered(count: int) -> range:
    """Choose the rows or columns that get a number."""
    return range(0, count, 1 if count <= MAX_NUMBERS else 8)


def _heat_panel(
    name: str, values: NDArray[np.float64], topology: Topology, said: str
) -> Image.Image:
    rows, columns = values.shape
    is_hexagonal = topology == "hexagonal"
    pitch = _pitch(rows, columns, HEAT_WIDTH, CELL_RANGE)
    heights = (HEX_ROW, HEX_CELL) if is_hexagonal else (1.0, 1.0)
    lattice = _Lattice(rows, columns, topology, pitch, *heights)
    low, high = float(values.min()), float(values.max())
    if name == "Hits":
        low = 0.0
    cells = _draw_hexagons if is_hexagonal else _draw_squares
    picture = cells(lattice, _colors(values, low, high))
    top = 2 * TEXT + 22
    width = max(picture.width, MINIMUM_PANEL)
    panel, pen = _empty(width, top + picture.height + 10 + BAR_HEIGHT + 6 + TEXT + 4)
    _write(pen, (0, 0), name)
    _write(pen, (0, TEXT + 6), said, color=FAINT, size=TEXT - 2)
    panel.paste(picture, (0, top))
    _draw_scale(panel, pen, top + picture.height + 10, low, high)
    return panel


def _colors(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    """Give (rows, columns, 3); one value everywhere is drawn like the lowest."""
    share = (values - low) / (high - low) if high > low else np.zeros_like(values)
    colors: NDArray[np.uint8] = COLORMAPS["heat"][np.rint(share * 255.0).astype(int)]
    return colors


def _draw_squares(lattice: _Lattice, colors: NDArray[np.uint8]) -> Image.Image:
    gap = 1 if lattice.pitch > 10 else 0
    picture, pen = _empty(*lattice.size)
    for row, column in np.ndindex(lattice.rows, lattice.columns):
        x, y = lattice.corner(row, column)
        end = lattice.pitch - 1 - gap
        pen.rectangle((x, y, x + end, y + end), fill=_color(colors[row, column]))
    return picture


def _draw_hexagons(lattice: _Lattice, colors: NDArray[np.uint8]) -> Image.Image:
    """Draw cells with a corner at the top, at four times the size for smooth edges."""
    width, height = lattice.size
    picture, pen = _empty(4 * width, 4 * height)
    pitch = 4 * lattice.pitch
    radius = pitch * HEX_CELL / 2.0 - (2.0 if lattice.pitch > 10 else 0.0)
    angles = np.radians(30.0 + 60.0 * np.arange(6))
    for row, column in np.ndindex(lattice.rows, lattice.columns):
        shift = 0.5 * (row % 2)
        x = (column + shift + 0.5) * pitch
        y = (row * HEX_ROW + HEX_CELL / 2.0) * pitch
        corners = [(x + radius * np.cos(a), y + radius * np.sin(a)) for a in angles]
        pen.polygon(corners, fill=_color(colors[row, column]))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _draw_scale(
    panel: Image.Image, pen: ImageDraw.ImageDraw, top: int, low: float, high: float
) -> None:
    """Draw the scale of colours with its lowest, middle and highest number beneath."""
    if high <= low:
        _write(pen, (0, top), f"{_number(low)} everywhere")
        return
    steps = np.linspace(0, 255, panel.width).round().astype(int)
    bar = np.broadcast_to(COLORMAPS["heat"][steps], (BAR_HEIGHT, panel.width, 3))
    panel.paste(Image.fromarray(np.ascontiguousarray(bar)), (0, top))
    beneath = top + BAR_HEIGHT + 6
    for x, value, anchor in (
        (0, low, "la"),
        (panel.width // 2, (low + high) / 2, "ma"),
        (panel.width, high, "ra"),
    ):
        _write(pen, (x, beneath), _number(value), anchor=anchor)


def _number(value: float) -> str:
    if value == 0 or 0.01 <= abs(value) < 1e6:
        return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"
    return f"{value:.2e}"


def _page(title: str, sheet: Image.Image, panels: list[Image.Image]) -> Image.Image:
    """Put the panels beside the prototypes, one below the other, under the title."""
    beside = max((panel.width for panel in panels), default=0)
    down = sum(panel.height for panel in panels) + MARGIN * max(0, len(panels) - 1)
    top = MARGIN + TITLE + 20
    width = 2 * MARGIN + sheet.width + (beside + 2 * MARGIN if panels else 0)
    title_width = round(_font(TITLE).getlength(title)) + 2 * MARGIN
    page, pen = _empty(max(width, title_width), top + max(sheet.height, down) + MARGIN)
    _write(pen, (MARGIN, MARGIN), title, size=TITLE)
    page.paste(sheet, (MARGIN, top))
    left = MARGIN + sheet.width + 2 * MARGIN
    for panel in panels:
        page.paste(panel, (left, top))
        top += panel.height + MARGIN
    return page


def _empty(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (width, height), WHITE)
    return picture, ImageDraw.Draw(picture)


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    size: int = TEXT,
    color: Color = INK,
    anchor: str = "la",
) -> None:
    pen.text(place, text, fill=color, font=_font(size), anchor=anchor)


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # given a size, Pillow brings its own font
    return font


def _color(values: NDArray[np.uint8]) -> Color:
    red, green, blue = values.tolist()
    return red, green, blue


def _png(page: Image.Image) -> bytes:
    buffer = BytesIO()
    page.save(buffer, format="PNG")
    return buffer.getvalue()
