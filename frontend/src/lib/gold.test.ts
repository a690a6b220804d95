import { expect, test } from "vitest";
import type { Item } from "./classifying";
import { feedbackOf } from "./gold";
import type { Tree } from "./tree";

const TREE: Tree = {
  root: "shape",
  questions: {
    shape: {
      text: "What shape?",
      answers: [
        { key: "frii", label: "FR II", help: "Bright at the ends." },
        { key: "other", label: "Other" },
      ],
    },
  },
};

const words = (label: string, label_title: string, is_right: boolean) =>
  feedbackOf({ label, label_title, is_right }, {} as Item, TREE).words;

test("who is right is told so", () => {
  expect(words("frii", "FR II", true)).toBe("Right: experts call this one FR II, too.");
});

test("who is not learns what to look for", () => {
  expect(words("frii", "FR II", false)).toBe(
    "Experts call this one FR II. Here is what to look for: Bright at the ends.",
  );
});

test("an answer without help, or one that the tree has no longer, is named all the same", () => {
  expect(words("other", "Other", false)).toBe("Experts call this one Other.");
  expect(words("ring", "Ring", false)).toBe("Experts call this one Ring.");
});
