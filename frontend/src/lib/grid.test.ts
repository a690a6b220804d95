import { expect, test } from "vitest";
import type { Item } from "./classifying";
import {
  answerOf,
  cleared,
  columnsOf,
  countOf,
  type Direction,
  NO_TICKS,
  neighbor,
  sendingOf,
  sentenceOf,
  TICK_KEYS,
  toggled,
  undone,
} from "./grid";

test("a second tick takes the first one back, and ticks stand in order", () => {
  const two = toggled(toggled(NO_TICKS, 5), 2);
  expect(two.ticked).toEqual([2, 5]);
  expect(toggled(two, 5).ticked).toEqual([2]);
});

test("undo goes back step by step, over a clearing as well, and ends at nothing", () => {
  const emptied = cleared(toggled(toggled(NO_TICKS, 5), 2));
  expect(emptied.ticked).toEqual([]);
  expect(undone(emptied).ticked).toEqual([2, 5]);
  expect(undone(undone(emptied)).ticked).toEqual([5]);
  expect(undone(undone(undone(emptied)))).toEqual(NO_TICKS);
  expect(undone(NO_TICKS)).toBe(NO_TICKS);
});

test("clearing nothing is nothing to undo", () => {
  expect(cleared(NO_TICKS)).toBe(NO_TICKS);
});

test("a grid says what people call it", () => {
  const item = { label_title: "Double (FR II)" } as Item;
  expect(sentenceOf(item)).toBe(
    "People call this group Double (FR II). Tick the ones that are not.",
  );
});

test("counts and buttons speak of one and of many", () => {
  expect([0, 1, 3].map(countOf)).toEqual(["None ticked", "1 ticked", "3 ticked"]);
  expect([0, 1, 3].map(sendingOf)).toEqual([
    "All belong",
    "Send, 1 does not belong",
    "Send, 3 do not belong",
  ]);
  expect(answerOf("sorted", 0, 12)).toBe("All belong");
  expect(answerOf("sorted", 2, 12)).toBe("2 of 12 ticked");
  expect(answerOf("too_mixed", 0, 12)).toBe("Too mixed to say");
});

test("each of sixteen members has a key of its own", () => {
  expect(new Set(TICK_KEYS).size).toBe(16);
});

test("columns are told by where the tiles stand", () => {
  expect(columnsOf([10, 10, 10, 10, 90, 90])).toBe(4);
  expect(columnsOf([10, 90, 170])).toBe(1);
  expect(columnsOf([10, 10])).toBe(2);
  expect(columnsOf([])).toBe(1);
});

/** Ten tiles in four columns: the last row has two. */
const from = (place: number, to: Direction) => neighbor(place, to, 4, 10);

test("arrows to the sides go on in reading order and round", () => {
  expect([from(3, "right"), from(4, "left")]).toEqual([4, 3]);
  expect([from(9, "right"), from(0, "left")]).toEqual([0, 9]);
});

test("arrows up and down stay in their column, also where the last row is short", () => {
  expect([from(1, "down"), from(5, "down"), from(9, "down")]).toEqual([5, 9, 1]);
  expect([from(6, "down"), from(2, "up"), from(0, "up")]).toEqual([2, 6, 8]);
});

test("from nowhere an arrow leads to the first or the last", () => {
  expect([from(-1, "down"), from(-1, "up")]).toEqual([0, 9]);
});

test("every tile can be reached and left by every arrow", () => {
  for (const to of ["left", "right", "up", "down"] as const) {
    for (let count = 1; count <= 16; count++) {
      const places = Array.from({ length: count }, (_, place) => neighbor(place, to, 3, count));
      expect(new Set(places).size).toBe(count);
    }
  }
});
