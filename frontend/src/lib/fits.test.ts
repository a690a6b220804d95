import { expect, test } from "vitest";
import { readFits } from "./fits";
import { BYTES, COLORS, DOUBLES, FLOATS, INTEGERS, NOISY, SHORTS, unpacked } from "./fitsFiles";

const { NaN: blank } = Number;

test.each([
  ["bytes", BYTES, [0, 1, 2, 3, 4, 255]],
  ["16-bit integers", SHORTS, [-32768, -1, 0, 1, 2, 32767]],
  ["32-bit integers", INTEGERS, [-(2 ** 31), -1, 0, 1, 2, 2 ** 31]],
  ["32-bit floating point", FLOATS, [blank, -1.5, 0, 1, 2, Math.fround(1e30)]],
  ["64-bit floating point", DOUBLES, [blank, -1.5, 0, blank, 2, Math.fround(1e30)]],
])("%s are read as astropy wrote them", (_, file, values) => {
  const { width, height, planes } = readFits(unpacked(file));
  expect([width, height, planes.length]).toEqual([3, 2, 1]);
  expect([...(planes[0] ?? [])]).toEqual(values);
});

test("words, truths and numbers of the header are known, comments are not", () => {
  const { header } = readFits(unpacked(FLOATS));
  expect(header.get("OBJECT")).toBe("O'Neil");
  expect(header.get("FLIPPED")).toBe(true);
  expect(header.get("EXTRA")).toBe(1.5e-3);
});

test("steps, zero and blank of 16-bit integers are applied", () => {
  const { header, planes } = readFits(unpacked(NOISY));
  expect(header.get("BITPIX")).toBe(16);
  const values = planes[0] ?? new Float32Array();
  expect(values[0]).toBeNaN();
  expect(values.filter(Number.isNaN)).toHaveLength(1);
  expect(values[4 * 8 + 5]).toBeCloseTo(3, 2);
  expect(values[3 * 8 + 5]).toBeCloseTo(1.2, 2);
});

test("each channel is a plane", () => {
  const { planes } = readFits(unpacked(COLORS));
  expect(planes.map((plane) => plane.length)).toEqual([64, 64, 64]);
  expect(planes[1]?.[3 * 8 + 5]).toBeCloseTo(7, 1);
});

test.each([
  ["no FITS", new Uint8Array(5760).buffer, "This is not a FITS file."],
  ["cut off", unpacked(NOISY).slice(0, 2890), "The file is cut off."],
  ["without end", unpacked(NOISY).slice(0, 160), "The header of the FITS file has no end."],
])("a file that is %s is refused", (_, file, sentence) => {
  expect(() => readFits(file)).toThrow(sentence);
});

test("what BITPIX and NAXIS cannot be is refused", () => {
  const altered = (from: string, to: string) => {
    const bytes = new Uint8Array(unpacked(NOISY));
    const text = Buffer.from(bytes).toString("latin1").replace(from, to);
    return new Uint8Array(Buffer.from(text, "latin1")).buffer;
  };
  expect(() => readFits(altered("=                   16 ", "=                   64 "))).toThrow(
    "FITS images of BITPIX 64 cannot be read.",
  );
  expect(() =>
    readFits(altered("NAXIS   =                    2", "NAXIS   =                    4")),
  ).toThrow("Images have 2 or 3 axes, not 4.");
  expect(() => readFits(altered("NAXIS1", "NAXES1"))).toThrow(
    "The header of the FITS file lacks NAXIS1.",
  );
});
