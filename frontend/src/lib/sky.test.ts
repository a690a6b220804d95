import { expect, test } from "vitest";
import type { Item } from "./classifying";
import { aladinUrl, placeOf, sexagesimal, simbadUrl, sizeWords } from "./sky";

test("a position is written as hours and degrees", () => {
  expect(sexagesimal({ ra_deg: 161.264958, dec_deg: 59.684528 })).toBe("10h45m03.59s +59°41′04.3″");
  expect(sexagesimal({ ra_deg: 0, dec_deg: -0.5 })).toBe("00h00m00.00s \u221200°30′00.0″");
});

test("nothing is rounded up to sixty", () => {
  expect(sexagesimal({ ra_deg: 359.9999999, dec_deg: 29.9999999 })).toBe(
    "00h00m00.00s +30°00′00.0″",
  );
});

test("links to the sky carry the position with its sign", () => {
  const place = { ra_deg: 12.5, dec_deg: 3.25 };
  expect(aladinUrl(place)).toContain("target=12.500000%20%2B3.250000&");
  expect(simbadUrl({ ...place, dec_deg: -3.25 })).toContain("Coord=12.500000%20-3.250000&");
});

test("only single subjects lie somewhere", () => {
  expect(placeOf({ context: { row: 1, column: 2 } } as Partial<Item> as Item)).toBeNull();
  expect(placeOf({ context: { ra_deg: 1, dec_deg: 2 } } as Partial<Item> as Item)).toEqual({
    ra_deg: 1,
    dec_deg: 2,
  });
});

test("small pictures are measured in arcseconds, large ones in arcminutes", () => {
  expect([45.4, 119, 192].map(sizeWords)).toEqual(["45″", "119″", "3.2′"]);
});
