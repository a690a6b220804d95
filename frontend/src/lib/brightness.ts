/**
 * From pixel values to colors: background, noise and limits of a picture, and the picture itself.
 *
 * With the look that one starts with, a picture is the one that the server draws: background taken
 * away, black below two sigma, white at the peak, three channels as red, green and blue.
 */
import { type Colormap, colorOf } from "./colormaps";
import type { FitsImage } from "./fits";
import { type Stretch, stretched, unstretched } from "./stretch";

/** How bright a plane is, in its own units. */
export interface Brightness {
  background: number;
  /** What is drawn black at first: two sigma above the background. */
  floor: number;
  /** One sigma; where there is no noise, a hundredth of the way to the peak. */
  unit: number;
  peak: number;
}

export interface Band {
  values: Float32Array;
  brightness: Brightness;
}

export interface Pixels {
  width: number;
  height: number;
  bands: Band[];
  /** The mean of all bands above their backgrounds; the band itself if there is one. */
  mean: Band;
}

/** Which bands are drawn: one (counted from 0), their mean, or three as colors. */
export type Bands = "usual" | "mean" | "color" | number;

export interface Look {
  stretch: Stretch;
  /** What is drawn black, in sigma above the background. */
  floor_sigma: number;
  /** What is drawn white, as share of the way from two sigma to the peak. */
  ceiling: number;
  colormap: Colormap;
  isInverted: boolean;
  bands: Bands;
}

export const FLOOR_SIGMA = 2;

export const USUAL_LOOK: Look = {
  stretch: "sqrt",
  floor_sigma: FLOOR_SIGMA,
  ceiling: 1,
  colormap: "gray",
  isInverted: false,
  bands: "usual",
};

const SIGMA_PER_MAD = 1.4826;
/** Entries of a table of colors: the square root of the second one is a two hundredth of white. */
const N_LEVELS = 65536;

// Pictures ------------------------------------------------------------------------------------
/** Prepares an image for drawing; values that went through a curve are taken back through it. */
export function pixelsOf({ width, height, planes, header }: FitsImage): Pixels {
  const curve = header.get("STRETCH");
  const isPrepared = typeof curve === "string";
  const bands = planes.map((plane) => {
    const values = isPrepared ? unstretched(plane, curve) : plane;
    return { values, brightness: isPrepared ? preparedBrightness(values) : brightnessOf(values) };
  });
  return { width, height, bands, mean: meanOf(bands, isPrepared) };
}

/** Background and noise by median and median absolute deviation. */
export function brightnessOf(values: Float32Array): Brightness {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  if (!known.length) return { background: 0, floor: 0, unit: 1, peak: 0 };
  const background = medianOf(known);
  const deviations = known.map((value) => Math.abs(value - background)).sort();
  const noise = SIGMA_PER_MAD * medianOf(deviations);
  const peak = known.at(-1) ?? 0;
  return {
    background,
    floor: background + FLOOR_SIGMA * noise,
    unit: noise || (peak - background) / 100 || 1,
    peak,
  };
}

/** Prepared images have lost their background; what turning made negative is sky. */
function preparedBrightness(values: Float32Array): Brightness {
  const peak = values.reduce((most, value) => (value > most ? value : most), 0);
  return { background: 0, floor: 0, unit: peak / 100 || 1, peak };
}

function medianOf(sorted: Float32Array): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}

function meanOf(bands: Band[], isPrepared: boolean): Band {
  const [first, ...others] = bands;
  if (!first) throw new Error("An image has at least one band.");
  if (!others.length) return first;
  const values = first.values.map((_, place) => {
    const above = bands.map((band) => (band.values[place] ?? 0) - band.brightness.background);
    const known = above.filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  });
  return { values, brightness: isPrepared ? preparedBrightness(values) : brightnessOf(values) };
}

// Limits --------------------------------------------------------------------------------------
export interface Limits {
  low: number;
  high: number;
}

export function limitsOf({ floor, unit, peak }: Brightness, look: Look): Limits {
  const low = floor + (look.floor_sigma - FLOOR_SIGMA) * unit;
  return { low, high: Math.max(floor + look.ceiling * (peak - floor), low) };
}

/** The look with which a picture has this value black. */
export function withLow(look: Look, { floor, unit }: Brightness, low: number): Look {
  return { ...look, floor_sigma: FLOOR_SIGMA + (low - floor) / unit };
}

/** The look with which a picture has this value white. */
export function withHigh(look: Look, { floor, peak }: Brightness, high: number): Look {
  return peak > floor ? { ...look, ceiling: Math.max(0, (high - floor) / (peak - floor)) } : look;
}

// Bands ---------------------------------------------------------------------------------------
/** What can be chosen for so many bands, in the order in which keys go through it. */
export function bandChoices(n_bands: number): Bands[] {
  if (n_bands < 2) return ["usual"];
  const single = Array.from({ length: n_bands }, (_, band) => band);
  return [n_bands === 3 ? "color" : "mean", n_bands === 3 ? "mean" : "color", ...single];
}

/** What is drawn of a picture with so many bands: a choice may come from another survey. */
export function bandsDrawn(bands: Bands, n_bands: number): Bands {
  const choices = bandChoices(n_bands);
  return choices.includes(bands) ? bands : (choices[0] ?? "usual");
}

/** The one band whose values are drawn; null for colors. */
export function bandDrawn(pixels: Pixels, bands: Bands): Band | null {
  const drawn = bandsDrawn(bands, pixels.bands.length);
  if (drawn === "color") return null;
  return (typeof drawn === "number" && pixels.bands[drawn]) || pixels.mean;
}

/** Red, green and blue: the first three bands; of two, the second is blue and the mean green. */
function colorBands({ bands, mean }: Pixels): Band[] {
  const [red = mean, second = mean, third] = bands;
  return third ? [red, second, third] : [red, mean, second];
}

// Colors --------------------------------------------------------------------------------------
/** The picture as red, green, blue and opacity in bytes, top row first. */
export function colored(pixels: Pixels, look: Look): Uint8ClampedArray<ArrayBuffer> {
  const band = bandDrawn(pixels, look.bands);
  return band ? inColormap(pixels, band, look) : inColors(pixels, look);
}

function inColormap(pixels: Pixels, { values, brightness }: Band, look: Look) {
  const table = colorTable(look);
  const levels = levelsOf(values, limitsOf(brightness, look));
  return painted(pixels, (place) => table[levels[place] ?? 0] ?? 0);
}

/** Three bands with one common white, so that colors mean something. */
function inColors(pixels: Pixels, look: Look): Uint8ClampedArray<ArrayBuffer> {
  const table = colorTable({ ...look, colormap: "gray" });
  const bands = colorBands(pixels);
  const reach = Math.max(...bands.map(({ brightness: { floor, peak } }) => peak - floor));
  const [red, green, blue] = bands.map(({ values, brightness }) => {
    const { low } = limitsOf(brightness, look);
    return levelsOf(values, { low, high: brightness.floor + look.ceiling * reach });
  });
  const part = (levels: Uint16Array | undefined, place: number, mask: number) =>
    (table[levels?.[place] ?? 0] ?? 0) & mask;
  return painted(
    pixels,
    (place) =>
      (0xff000000 |
        part(red, place, 0xff) |
        part(green, place, 0xff00) |
        part(blue, place, 0xff0000)) >>>
      0,
  );
}

function painted({ width, height }: Pixels, color: (place: number) => number) {
  const bytes = new Uint8ClampedArray(4 * width * height);
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = 4 * ((height - 1 - row) * width + column);
      view.setUint32(at, color(row * width + column), true);
    }
  }
  return bytes;
}

/** Places in a table of colors; blank pixels are drawn like the faintest. */
function levelsOf(values: Float32Array, { low, high }: Limits): Uint16Array {
  const scale = high > low ? (N_LEVELS - 1) / (high - low) : 0;
  return Uint16Array.from(values, (value) => {
    const level = (value - low) * scale;
    return level > 0 ? Math.min(Math.round(level), N_LEVELS - 1) : 0;
  });
}

let newest: { key: string; table: Uint32Array } | null = null;

/** Colors of all levels, little-endian; the last table is kept, for many pictures share a look. */
function colorTable({ stretch, colormap, isInverted }: Look): Uint32Array {
  const key = `${stretch} ${colormap} ${isInverted}`;
  if (newest?.key !== key) {
    const shades = Uint32Array.from({ length: 256 }, (_, shade) => packed(shade / 255, colormap));
    const table = Uint32Array.from({ length: N_LEVELS }, (_, level) => {
      const shade = Math.round(255 * stretched(level / (N_LEVELS - 1), stretch));
      return shades[isInverted ? 255 - shade : shade] ?? 0;
    });
    newest = { key, table };
  }
  return newest.table;
}

function packed(level: number, colormap: Colormap): number {
  const [red, green, blue] = colorOf(colormap, level).map((part) => Math.round(255 * part));
  return (0xff000000 | ((blue ?? 0) << 16) | ((green ?? 0) << 8) | (red ?? 0)) >>> 0;
}
