import { expect, test } from "vitest";
import type { Answer, Tree } from "../lib/tree";
import { entriesOf, gridWords, practiceWords } from "./lessons";

const FRI: Answer = { key: "fri", label: "FR I", help: "Bright in the middle.", means: "class" };
const FRII: Answer = { key: "frii", label: "FR II", help: "Bright at the ends.", means: "class" };
const UNKNOWN: Answer = { key: "unknown", label: "Cannot tell", means: "unknown" };
const TREE: Tree = {
  root: "shape",
  questions: { shape: { text: "What shape?", answers: [FRI, FRII, UNKNOWN] } },
};

test("the field guide has every answer even before its pictures are there", () => {
  expect(entriesOf(TREE, null).map(({ answer, number }) => [answer.key, number])).toEqual([
    ["fri", 1],
    ["frii", 2],
    ["unknown", 3],
  ]);
});

test("pictures come to the answers that they are of", () => {
  const examples = [{ url: "/pictures/subjects/1.png", alt: "Picture of S1" }];
  const frii = { key: "frii", label: "FR II", help: "", number: 7, examples };
  const tutorial = { turning: null, question: null, grid: null, outlier: null };
  const entries = entriesOf(TREE, { entries: [frii], tutorial });
  expect(entries.map((entry) => entry.examples.length)).toEqual([0, 1, 0]);
  expect(entries[1]?.number).toBe(7);
});

test("a practice answer like that of others is right", () => {
  expect(practiceWords(TREE, FRII, "frii")).toBe("Yes, others see FR II here, too.");
});

test("another answer is told kindly what to look for", () => {
  expect(practiceWords(TREE, FRI, "frii")).toBe(
    "Others see FR II here. What to look for: Bright at the ends. Many pictures are in between, and others look at them, too.",
  );
});

test("not to be sure is never wrong", () => {
  expect(practiceWords(TREE, UNKNOWN, "frii")).toMatch(/^“Cannot tell” is a good answer/);
});

test("where nobody knows, no answer is wrong", () => {
  for (const known of [null, "gone"]) {
    expect(practiceWords(TREE, FRI, known)).toMatch(/no answer is wrong/);
  }
});

test("the practice grid says when the odd one is found", () => {
  expect(gridWords([], 2)).toBe("");
  expect(gridWords([2], 2)).toMatch(/^Yes/);
  expect(gridWords([0], 2)).toMatch(/^This one belongs/);
  expect(gridWords([0, 2], 2)).toMatch(/^One of these/);
});
