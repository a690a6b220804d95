/**
 * Colors for brightness, each from black to nearly white with lightness that rises evenly, so that
 * they read alike in gray and for color-blind eyes.
 *
 * "helix" is Green's cubehelix (2011, BASI 39, 289) with his own parameters; "ember" and "lagoon"
 * are straight lines of hue in OKLCH (Ottosson 2020) with as much chroma as sRGB can show.
 */

export const COLORMAPS = ["gray", "ember", "lagoon", "helix"] as const;
export type Colormap = (typeof COLORMAPS)[number];

/** Red, green and blue from 0 to 1. */
export type Color = readonly [number, number, number];

const HELIX = { start: 0.5, rotations: -1.5, hue: 1 };
const HUES_DEG = { ember: [-65, 105], lagoon: [295, 110] } as const;
const LARGEST_CHROMA = 0.24;
const LIGHTEST = 0.97;

export function colorOf(colormap: Colormap, level: number): Color {
  if (colormap === "gray") return [level, level, level];
  if (colormap === "helix") return helix(level);
  const [from, to] = HUES_DEG[colormap];
  return vivid(level * LIGHTEST, ((from + (to - from) * level) * Math.PI) / 180);
}

function helix(level: number): Color {
  const angle = 2 * Math.PI * (HELIX.start / 3 + 1 + HELIX.rotations * level);
  const amplitude = (HELIX.hue * level * (1 - level)) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [
    clipped(level + amplitude * (-0.14861 * cos + 1.78277 * sin)),
    clipped(level + amplitude * (-0.29227 * cos - 0.90649 * sin)),
    clipped(level + amplitude * (1.97294 * cos)),
  ];
}

/** The most colorful color of a lightness and hue that sRGB has, up to `LARGEST_CHROMA`. */
function vivid(lightness: number, hue_rad: number): Color {
  let [low, high] = [0, LARGEST_CHROMA];
  for (let step = 0; step < 12; step++) {
    const middle = (low + high) / 2;
    if (linearRgb(lightness, middle, hue_rad).every((part) => part >= 0 && part <= 1)) low = middle;
    else high = middle;
  }
  const [red, green, blue] = linearRgb(lightness, low, hue_rad);
  return [encoded(red), encoded(green), encoded(blue)];
}

function linearRgb(lightness: number, chroma: number, hue_rad: number): Color {
  const [a, b] = [chroma * Math.cos(hue_rad), chroma * Math.sin(hue_rad)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The sRGB curve. */
function encoded(part: number): number {
  const value = clipped(part);
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
}

function clipped(part: number): number {
  return Math.min(1, Math.max(0, part));
}
