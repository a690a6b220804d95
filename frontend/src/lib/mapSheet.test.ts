import { expect, test } from "vitest";
import { stepped } from "./mapSheet";

const size = { rows: 3, columns: 4 };

test.each([
  ["ArrowUp", { row: 0, column: 2 }],
  ["ArrowDown", { row: 2, column: 2 }],
  ["ArrowLeft", { row: 1, column: 1 }],
  ["ArrowRight", { row: 1, column: 3 }],
  ["Home", { row: 1, column: 0 }],
  ["End", { row: 1, column: 3 }],
])("%s leads to the prototype on that side", (key, place) => {
  expect(stepped({ row: 1, column: 2 }, key, size)).toEqual(place);
});

test.each([
  [{ row: 0, column: 0 }, "ArrowUp"],
  [{ row: 0, column: 0 }, "ArrowLeft"],
  [{ row: 2, column: 3 }, "ArrowDown"],
  [{ row: 2, column: 3 }, "ArrowRight"],
])("the edge of the map stops %o on %s", (place, key) => {
  expect(stepped(place, key, size)).toBeNull();
});

test("other keys are left to the browser", () => {
  expect(stepped({ row: 1, column: 1 }, "Enter", size)).toBeNull();
});
