import { expect, test } from "vitest";
import {
  bandChoices,
  bandDrawn,
  bandsDrawn,
  brightnessOf,
  colored,
  limitsOf,
  pixelsOf,
  USUAL_LOOK,
  withHigh,
  withLow,
} from "./brightness";
import { type Card, readFits } from "./fits";
import { COLORS, DRAWN, DRAWN_COLORS, NOISY, unpacked } from "./fitsFiles";
import { STRETCHES } from "./stretch";

const noisy = pixelsOf(readFits(unpacked(NOISY)));
const colors = pixelsOf(readFits(unpacked(COLORS)));

const image = (planes: number[][], header: [string, Card][] = []) =>
  pixelsOf({
    width: planes[0]?.length ?? 0,
    height: 1,
    planes: planes.map((plane) => Float32Array.from(plane)),
    header: new Map(header),
  });

const parts = (bytes: Uint8ClampedArray, part: number) =>
  [...bytes].filter((_, place) => place % 4 === part);

const expectNear = (shown: number[], known: number[]) =>
  shown.forEach((byte, place) => {
    expect(Math.abs(byte - (known[place] ?? Number.NaN))).toBeLessThanOrEqual(1);
  });

test.each(STRETCHES)("with the usual limits and %s it draws what the server draws", (stretch) => {
  const bytes = colored(noisy, { ...USUAL_LOOK, stretch });
  expectNear(parts(bytes, 0), DRAWN[stretch].flat());
  expect(parts(bytes, 1)).toEqual(parts(bytes, 0));
  expect(new Set(parts(bytes, 3))).toEqual(new Set([255]));
});

test("three bands are drawn in color as the server does", () => {
  const bytes = colored(colors, USUAL_LOOK);
  for (const part of [0, 1, 2]) {
    expectNear(
      parts(bytes, part),
      DRAWN_COLORS.flat().map((color) => color[part] ?? Number.NaN),
    );
  }
});

test("background and noise come from medians and leave out blank pixels", () => {
  const known = brightnessOf(Float32Array.of(Number.NaN, 1, 2, 3, 4, 100));
  expect(known.background).toBe(3);
  expect(known.unit).toBeCloseTo(1.4826);
  expect(known.floor).toBeCloseTo(3 + 2 * 1.4826);
  expect(known.peak).toBe(100);
});

test("an image without noise is drawn from its background to its peak", () => {
  const plain = brightnessOf(Float32Array.of(0, 0, 0, 0, 50));
  expect(limitsOf(plain, USUAL_LOOK)).toEqual({ low: 0, high: 50 });
  expect(plain.unit).toBe(0.5);
});

test("a blank image is black", () => {
  const blank = image([[Number.NaN, Number.NaN]]);
  expect([...colored(blank, USUAL_LOOK)]).toEqual([0, 0, 0, 255, 0, 0, 0, 255]);
});

test("a prepared image is taken back through its curve and keeps its black sky", () => {
  const prepared = image([[-0.1, 0, 0.5, 1]], [["STRETCH", "sqrt"]]);
  const { values, brightness } = prepared.mean;
  expect([...values].map((value) => Number(value.toFixed(4)))).toEqual([-0.01, 0, 0.25, 1]);
  expect(limitsOf(brightness, USUAL_LOOK)).toEqual({ low: 0, high: 1 });
  expect(parts(colored(prepared, USUAL_LOOK), 0)).toEqual([0, 0, 128, 255]);
});

test("inverted, the sky is white; blank pixels are like the faintest", () => {
  const shown = image([[Number.NaN, 0, 0, 0, 4]]);
  const bytes = colored(shown, { ...USUAL_LOOK, isInverted: true });
  expect(parts(bytes, 0)).toEqual([255, 255, 255, 255, 0]);
});

test("a lower white makes faint structure bright", () => {
  const shown = image([[0, 0, 0, 0, 0, 1, 100]]);
  const look = { ...USUAL_LOOK, stretch: "linear" as const };
  expect(parts(colored(shown, look), 0)[5]).toBe(3);
  expect(parts(colored(shown, { ...look, ceiling: 0.02 }), 0).slice(5)).toEqual([128, 255]);
});

test("limits can be given as values of a picture", () => {
  const { brightness } = noisy.mean;
  const look = withHigh(withLow(USUAL_LOOK, brightness, 0.1), brightness, 1.5);
  expect(limitsOf(brightness, look).low).toBeCloseTo(0.1);
  expect(limitsOf(brightness, look).high).toBeCloseTo(1.5);
});

test("white is never below black", () => {
  const { low, high } = limitsOf(
    { background: 0, floor: 2, unit: 1, peak: 3 },
    {
      ...USUAL_LOOK,
      floor_sigma: 12,
      ceiling: 0.01,
    },
  );
  expect(high).toBeGreaterThanOrEqual(low);
});

test("bands are drawn alone, as their mean, or in color", () => {
  const two = image([
    [1, 1, 1, 5],
    [2, 2, 2, 2],
  ]);
  expect(bandChoices(1)).toEqual(["usual"]);
  expect(bandChoices(2)).toEqual(["mean", "color", 0, 1]);
  expect(bandChoices(3)[0]).toBe("color");
  expect(bandDrawn(two, 1)?.values).toEqual(Float32Array.of(2, 2, 2, 2));
  expect(bandDrawn(two, "usual")?.values).toEqual(Float32Array.of(0, 0, 0, 2));
  expect(bandDrawn(two, "color")).toBeNull();
});

test("a band that a picture has not is drawn as usual", () => {
  expect(bandsDrawn(4, 2)).toBe("mean");
  expect(bandsDrawn("color", 1)).toBe("usual");
});

test("of two bands in color the first is red and the second blue", () => {
  const two = image([
    [0, 0, 0, 0, 8, 0],
    [0, 0, 0, 0, 0, 8],
  ]);
  const bytes = colored(two, { ...USUAL_LOOK, bands: "color", stretch: "linear" });
  expect([...bytes.slice(16, 20)]).toEqual([255, 128, 0, 255]);
  expect([...bytes.slice(20, 24)]).toEqual([0, 128, 255, 255]);
});

test("colors change with the colormap, and gray comes back", () => {
  const gray = colored(noisy, USUAL_LOOK);
  expect(colored(noisy, { ...USUAL_LOOK, colormap: "ember" })).not.toEqual(gray);
  expect(colored(noisy, USUAL_LOOK)).toEqual(gray);
});
