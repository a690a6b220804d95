import { describe, expect, test } from "vitest";
import { delayAfter, type JobEvent, lineOf, spokenOf } from "./jobProgress";

const running: JobEvent = {
  state: "running",
  percent: 40,
  progress_done: 4000,
  progress_total: 10_000,
  message: "epoch 4",
  is_finished: false,
};

describe("the line below the bar", () => {
  test("tells percent, numbers and message", () => {
    expect(lineOf(running)).toBe("40 % · 4\u202f000 of 10\u202f000 · epoch 4");
  });

  test("leaves out what is not known", () => {
    const waiting = { ...running, percent: null, progress_total: 0, message: "" };
    expect(lineOf(waiting)).toBe("");
  });
});

describe("what is said aloud", () => {
  test("a new state is said", () => {
    expect(spokenOf({ ...running, state: "queued" }, running)).toBe("The job is running.");
  });

  test("each quarter is said once", () => {
    expect(spokenOf(running, { ...running, percent: 51 })).toBe("51 percent done.");
    expect(spokenOf({ ...running, percent: 51 }, { ...running, percent: 74 })).toBe("");
  });
});

test("failures slow the questions down, up to half a minute", () => {
  expect([0, 1, 2, 10].map(delayAfter)).toEqual([1500, 3000, 6000, 30_000]);
});
