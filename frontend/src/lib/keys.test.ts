import { expect, test } from "vitest";
import { TICK_KEYS } from "./grid";
import { commandOf, gridCommandOf, isCharacter, moved, PAGE_KEYS, pageCommandOf } from "./keys";

const PLAIN = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false };
const press = (key: string, more = {}) => commandOf({ key, ...PLAIN, ...more });
const pressInGrid = (key: string, more = {}) => gridCommandOf({ key, ...PLAIN, ...more });

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

test("Backspace goes back", () => {
  expect(press("Backspace")).toEqual({ do: "back" });
  expect(press("a")).toBeNull();
});

test("the question mark helps and Escape puts away, whatever is shown", () => {
  const pressAnywhere = (key: string, more = {}) => pageCommandOf({ key, ...PLAIN, ...more });
  expect(pressAnywhere("?")).toBe("help");
  expect(pressAnywhere("Escape")).toBe("dismiss");
  expect(pressAnywhere("?", { repeat: true })).toBeNull();
  expect(pressAnywhere("?", { metaKey: true })).toBeNull();
});

test("what can be done with every item has keys that neither grids nor the viewer know", () => {
  const does = [..."ukhltw"].map((key) => pageCommandOf({ key, ...PLAIN }));
  expect(does).toEqual(["change", "skip", "favourite", "share", "remarks", "where"]);
  expect(pageCommandOf({ key: "U", ...PLAIN })).toBe("change");
  const taken = [...TICK_KEYS, ..."mzxp+-[]isv0"];
  expect(Object.values(PAGE_KEYS).filter((key) => taken.includes(key))).toEqual([]);
  expect(pageCommandOf({ key: "constructor", ...PLAIN })).toBeNull();
});

test("p marks, and arrows with the shift key are left to the viewer", () => {
  expect(press("p")).toEqual({ do: "mark" });
  expect(press("ArrowLeft", { shiftKey: true })).toBeNull();
  expect(pressInGrid("ArrowLeft", { shiftKey: true })).toBeNull();
});

test("arrows go round", () => {
  expect(moved(-1, 1, 8)).toBe(0);
  expect(moved(-1, -1, 8)).toBe(7);
  expect(moved(7, 1, 8)).toBe(0);
  expect(moved(0, -1, 8)).toBe(7);
});

test("digits and then letters tick the members of a grid", () => {
  const places = [...TICK_KEYS].map((key) => pressInGrid(key));
  expect(places).toEqual(places.map((_, place) => ({ do: "tick", place })));
  expect(pressInGrid("G")).toEqual({ do: "tick", place: 15 });
  expect(pressInGrid("0")).toBeNull();
  expect(pressInGrid("h")).toBeNull();
});

test("what else a grid knows has keys of its own", () => {
  const does = ["Enter", "m", "z", "Backspace", "x"].map((key) => pressInGrid(key)?.do);
  expect(does).toEqual(["send", "too_mixed", "undo", "undo", "clear"]);
  expect(pressInGrid("?")).toBeNull();
});

test("arrows of a grid have four directions and go on while held", () => {
  expect(pressInGrid("ArrowUp")).toEqual({ do: "move", to: "up" });
  expect(pressInGrid("ArrowLeft", { repeat: true })).toEqual({ do: "move", to: "left" });
});

test("held keys and shortcuts of the browser tick and send nothing", () => {
  expect(pressInGrid("Enter", { repeat: true })).toBeNull();
  expect(pressInGrid("3", { repeat: true })).toBeNull();
  expect(pressInGrid("z", { ctrlKey: true })).toBeNull();
  expect(pressInGrid("Enter", { altKey: true })).toBeNull();
});

test("digits, letters and signs are characters; what a page needs to be used is none", () => {
  const are = (...keys: string[]) => keys.map((key) => isCharacter({ key, ...PLAIN }));
  expect(are("1", "a", "?")).toEqual([true, true, true]);
  expect(are(" ", "Enter", "Escape", "ArrowUp")).toEqual([false, false, false, false]);
});
