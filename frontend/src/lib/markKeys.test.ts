import { expect, test } from "vitest";
import { PAGE_KEYS } from "./keys";
import { markCommandOf } from "./markKeys";
import { viewCommandOf } from "./viewing";

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  ...more,
});

test("arrows move the crosshair by a little, with shift by much, and go on while held", () => {
  expect(markCommandOf(press("ArrowLeft"))).toEqual({ do: "move", by: { x: -4, y: 0 } });
  expect(markCommandOf(press("ArrowDown", { repeat: true }))).toEqual({
    do: "move",
    by: { x: 0, y: 4 },
  });
  expect(markCommandOf(press("ArrowUp", { shiftKey: true }))).toEqual({
    do: "move",
    by: { x: 0, y: -32 },
  });
});

test("digits choose a role", () => {
  expect(markCommandOf(press("2"))).toEqual({ do: "choose", index: 1 });
  expect(markCommandOf(press("0"))).toBeNull();
});

test.each([
  ["Enter", "put"],
  ["n", "next"],
  ["N", "next"],
  ["Delete", "delete"],
  ["Backspace", "delete"],
  ["z", "undo"],
  ["Escape", "dismiss"],
  ["p", "done"],
])("%s means %s, once", (key, command) => {
  expect(markCommandOf(press(key))).toEqual({ do: command });
  expect(markCommandOf(press(key, { repeat: true }))).toBeNull();
  expect(markCommandOf(press(key, { ctrlKey: true }))).toBeNull();
});

test("keys of the viewer and of the page keep what they mean", () => {
  for (const key of Object.values(PAGE_KEYS)) expect(markCommandOf(press(key))).toBeNull();
  for (const key of "nzp") expect(viewCommandOf(press(key))).toBeNull();
});
