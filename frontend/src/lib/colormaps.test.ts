import { expect, test } from "vitest";
import { COLORMAPS, type Color, colorOf } from "./colormaps";

const LEVELS = Array.from({ length: 101 }, (_, step) => step / 100);

/** CIE lightness from 0 to 100. */
function lightness(color: Color): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance;
}

test.each(COLORMAPS)("%s goes from black to nearly white", (colormap) => {
  expect(lightness(colorOf(colormap, 0))).toBeLessThan(0.5);
  expect(lightness(colorOf(colormap, 1))).toBeGreaterThan(93);
});

test.each(COLORMAPS)("%s becomes lighter all the way, in even steps", (colormap) => {
  const steps = LEVELS.slice(1).map(
    (level) => lightness(colorOf(colormap, level)) - lightness(colorOf(colormap, level - 0.01)),
  );
  expect(Math.min(...steps)).toBeGreaterThan(0);
  expect(Math.max(...steps)).toBeLessThan(2.5);
});

test.each(COLORMAPS)("%s has no color that a screen has not", (colormap) => {
  for (const part of LEVELS.flatMap((level) => colorOf(colormap, level))) {
    expect(part).toBeGreaterThanOrEqual(0);
    expect(part).toBeLessThanOrEqual(1);
  }
});

test("helix is Green's formula", () => {
  const [red, green, blue] = colorOf("helix", 0.5);
  expect(red).toBeCloseTo(0.6275, 3);
  expect(green).toBeCloseTo(0.475, 3);
  expect(blue).toBeCloseTo(0.2864, 3);
});

test("ember glows from violet over red to yellow, lagoon from blue over green", () => {
  const [red, green, blue] = colorOf("ember", 0.6);
  expect(red).toBeGreaterThan(Math.max(green, blue) + 0.2);
  const [r, g, b] = colorOf("lagoon", 0.6);
  expect(Math.max(g, b)).toBeGreaterThan(r + 0.2);
});
