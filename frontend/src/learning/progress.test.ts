import { expect, test } from "vitest";
import { keepProgress, opensAtOnce, progressOf, stepToResume } from "./progress";

function memory(texts: Record<string, string> = {}): Storage {
  const kept = new Map(Object.entries(texts));
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => kept.set(name, text),
  } as unknown as Storage;
}

test("the tutorial opens on the first visit of each campaign", () => {
  const storage = memory();
  expect(opensAtOnce(storage, "radio")).toBe(true);
  keepProgress(storage, "radio", { step: 0, state: "left" });
  expect(opensAtOnce(storage, "radio")).toBe(false);
  expect(opensAtOnce(storage, "infrared")).toBe(true);
});

test("a reload in its midst opens it again where it was", () => {
  const storage = memory();
  keepProgress(storage, "radio", { step: 3, state: "open" });
  expect(opensAtOnce(storage, "radio")).toBe(true);
  expect(stepToResume(progressOf(storage, "radio"))).toBe(3);
});

test("what was skipped goes on where it was left, what was seen begins anew", () => {
  expect(stepToResume({ step: 2, state: "left" })).toBe(2);
  expect(stepToResume({ step: 5, state: "done" })).toBe(0);
  expect(stepToResume(null)).toBe(0);
});

test("a browser without a memory is not shown it again and again", () => {
  expect(opensAtOnce(null, "radio")).toBe(false);
});

test.each(["", "{", "[]", "null", '{"step":-1,"state":"open"}', '{"step":1,"state":"lost"}'])(
  "what cannot be read counts as nothing: %s",
  (text) => {
    expect(progressOf(memory({ "protozoo.tutorial.radio": text }), "radio")).toBeNull();
  },
);

test("a full storage breaks nothing", () => {
  const full = { getItem: () => null, setItem: () => expect.fail } as unknown as Storage;
  full.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  keepProgress(full, "radio", { step: 1, state: "open" });
  expect(progressOf(full, "radio")).toBeNull();
});
