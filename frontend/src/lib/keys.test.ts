import { expect, test } from "vitest";
import { commandOf, moved } from "./keys";

const press = (key: string, more = {}) =>
  commandOf({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more });

test("digits choose answers", () => {
  expect(press("1")).toEqual({ do: "answer", index: 0 });
  expect(press("9")).toEqual({ do: "answer", index: 8 });
  expect(press("0")).toBeNull();
});

test("a key held down answers once", () => {
  expect(press("3", { repeat: true })).toBeNull();
  expect(press("ArrowDown", { repeat: true })).toEqual({ do: "move", by: 1 });
});

test("shortcuts of the browser stay the browser's", () => {
  expect(press("1", { ctrlKey: true })).toBeNull();
  expect(press("ArrowLeft", { altKey: true })).toBeNull();
});

test("Backspace goes back and the question mark helps", () => {
  expect(press("Backspace")).toEqual({ do: "back" });
  expect(press("?")).toEqual({ do: "help" });
  expect(press("a")).toBeNull();
});

test("arrows go round", () => {
  expect(moved(-1, 1, 8)).toBe(0);
  expect(moved(-1, -1, 8)).toBe(7);
  expect(moved(7, 1, 8)).toBe(0);
  expect(moved(0, -1, 8)).toBe(7);
});
