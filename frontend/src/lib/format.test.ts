import { describe, expect, it } from "vitest";
import { formatCount, formatDecimal, formatDuration } from "./format";
import { speak } from "./words";

const plain = (text: string) => text.replaceAll("\u202f", "_");

describe("formatCount", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1000, "1_000"],
    [1_234_567, "1_234_567"],
    [-12_345, "\u221212_345"],
    [-0.4, "0"],
    [2999.6, "3_000"],
  ])("writes %d as %s", (value, text) => {
    expect(plain(formatCount(value))).toBe(text);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (value) => {
    expect(() => formatCount(value)).toThrow(`A count must be a finite number, got ${value}.`);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0_s"],
    [45, "45_s"],
    [59.6, "1_min"],
    [185, "3_min 5_s"],
    [3600, "1_h"],
    [7800, "2_h 10_min"],
    [3600 * 23 + 59 * 60 + 59.7, "1_d"],
    [86_400 * 4 + 3600 * 6 + 59, "4_d 6_h"],
    [86_400 * 1500, "1_500_d"],
  ])("writes %d seconds as %s", (seconds, text) => {
    expect(plain(formatDuration(seconds))).toBe(text);
  });

  it.each([-1, Number.NaN])("refuses %d", (seconds) => {
    expect(() => formatDuration(seconds)).toThrow("A duration must be a number of seconds");
  });
});

it("decimals have the mark of the page's language", () => {
  expect(formatDecimal(0.5)).toBe("0.5");
  speak({ ".": "," });
  expect(formatDecimal("12.50")).toBe("12,50");
  speak({});
});
