import { expect, test } from "vitest";
import { pauseMs } from "./backoff";

test("pauses grow to half a minute", () => {
  expect([0, 1, 2, 3, 4, 99].map((tries) => pauseMs(tries, 0.5))).toEqual([
    2000, 5000, 10_000, 30_000, 30_000, 30_000,
  ]);
});

test("chance makes them a quarter shorter or longer", () => {
  expect(pauseMs(0, 0)).toBe(1500);
  expect(pauseMs(0, 1)).toBe(2500);
});
