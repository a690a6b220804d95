import { expect, test } from "vitest";
import { type Kind, leafOf, leaves, questionAt, type Tree } from "./tree";

const TREE: Tree = {
  root: "shape",
  questions: {
    shape: {
      text: "What shape?",
      answers: [
        { key: "double", label: "Two sides", next: "ends" },
        { key: "compact", label: "Compact", next: null },
        { key: "mixed", label: "Mixed", next: null, kinds: ["prototype"] },
        { key: "odd", label: "Odd", next: null, kinds: ["outlier"] },
      ],
    },
    ends: {
      text: "Where is it brightest?",
      answers: [
        { key: "fri", label: "In the middle" },
        { key: "frii", label: "At the ends" },
      ],
    },
  },
};

test("the tree is entered at its root", () => {
  expect(questionAt(TREE, [], "prototype").text).toBe("What shape?");
});

test("an answer leads on to its question", () => {
  expect(questionAt(TREE, ["double"], "outlier").text).toBe("Where is it brightest?");
});

test("answers for other kinds of items are not offered", () => {
  const keys = (kind: Kind) => questionAt(TREE, [], kind).answers.map((answer) => answer.key);
  expect(keys("prototype")).toEqual(["double", "compact", "mixed"]);
  expect(keys("outlier")).toEqual(["double", "compact", "odd"]);
  expect(keys("subject")).toEqual(keys("outlier"));
});

test("a path through a leaf or a stranger is refused", () => {
  expect(() => questionAt(TREE, ["compact"], "outlier")).toThrow(/compact to shape leads to no/);
  expect(() => questionAt(TREE, ["ring"], "outlier")).toThrow(RangeError);
});

test("the leaves are the words to choose from", () => {
  expect(leaves(TREE).map((answer) => answer.key)).toEqual([
    "compact",
    "mixed",
    "odd",
    "fri",
    "frii",
  ]);
});

test("a leaf is found by its key, and what leads on is none", () => {
  expect(leafOf(TREE, "frii")?.label).toBe("At the ends");
  expect(leafOf(TREE, "double")).toBeUndefined();
  expect(leafOf(TREE, null)).toBeUndefined();
});
