import { expect, test } from "vitest";
import { STRETCHES, type Stretch, stretched, unstretched } from "./stretch";

const LEVELS = [0, 0.001, 0.01, 0.1, 0.25, 0.5, 1];

/** What the server's curves make of the levels. */
const KNOWN: Record<Stretch, number[]> = {
  linear: LEVELS,
  sqrt: [0, 0.0316228, 0.1, 0.3162278, 0.5, Math.SQRT1_2, 1],
  asinh: [0, 0.0033353, 0.0332977, 0.2939653, 0.5494025, 0.7712696, 1],
  log: [0, 0.1003288, 0.3470807, 0.6680105, 0.7997756, 0.8998157, 1],
};

test.each(STRETCHES)("%s is the server's curve", (stretch) => {
  LEVELS.forEach((level, place) => {
    expect(stretched(level, stretch)).toBeCloseTo(KNOWN[stretch][place] ?? Number.NaN, 6);
  });
});

test.each(STRETCHES)("%s can be taken back", (stretch) => {
  const through = Float32Array.from(LEVELS, (level) => stretched(level, stretch));
  [...unstretched(through, stretch)].forEach((value, place) => {
    expect(value).toBeCloseTo(LEVELS[place] ?? Number.NaN, 5);
  });
});

test("a cube root is taken back, an unknown curve is left, blank stays blank", () => {
  expect([...unstretched(Float32Array.of(0.5, Number.NaN), "cbrt")]).toEqual([0.125, Number.NaN]);
  expect([...unstretched(Float32Array.of(0.5), "unheard")]).toEqual([0.5]);
});

test("what turning has made negative stays negative", () => {
  expect(unstretched(Float32Array.of(-0.5), "sqrt")[0]).toBe(-0.25);
});
