/** What the tutorial and the field guide say, without a page. */
import type { components } from "../api/schema";
import { type Answer, leafOf, leaves, type Tree } from "../lib/tree";
import { t } from "../lib/words";

export type Guide = components["schemas"]["Guide"];
export type Example = components["schemas"]["Example"];
export type Tutorial = Guide["tutorial"];
export type StepName = "picture" | "group" | "question" | "grid" | "odd" | "keys";

export interface Entry {
  answer: Answer;
  /** Of its color and shape. */
  number: number;
  examples: Example[];
}

/** As many shapes and colors as there are. */
const MAX_NUMBER = 8;

export const STEPS: readonly StepName[] = ["picture", "group", "question", "grid", "odd", "keys"];

/** Every answer of the tree, with pictures as soon as they are there. */
export function entriesOf(tree: Tree, guide: Guide | null): Entry[] {
  return leaves(tree).map((answer, place) => {
    const known = guide?.entries.find(({ key }) => key === answer.key);
    return {
      answer,
      number: known?.number ?? Math.min(place + 1, MAX_NUMBER),
      examples: known?.examples ?? [],
    };
  });
}

// Practice ------------------------------------------------------------------------------------
/** What is said of a practice answer: `known` is the class that others see, if anybody knows. */
export function practiceWords(tree: Tree, given: Answer, known: string | null): string {
  const right = leafOf(tree, known);
  if (!right) return t("Thank you. Nobody has settled this one yet, so no answer is wrong.");
  if (given.key === right.key)
    return t("Yes, others see {label} here, too.", { label: right.label });
  const hint = t("Others see {label} here.", { label: right.label });
  if (given.means !== "class") {
    return `${t("“{label}” is a good answer when you are not sure.", { label: given.label })} ${hint}`;
  }
  const look = right.help ? t("What to look for: {help}", { help: right.help }) : "";
  const comfort = t("Many pictures are in between, and others look at them, too.");
  return [hint, look, comfort].filter(Boolean).join(" ");
}

/** What is said of the ticks in the practice grid; nothing before the first. */
export function gridWords(ticked: readonly number[], odd: number): string {
  if (!ticked.length) return "";
  const isFound = ticked.includes(odd);
  if (isFound && ticked.length === 1) {
    return t("Yes, this one comes from another group. The others all belong.");
  }
  if (isFound) return t("One of these comes from another group, the others belong.");
  return t("This one belongs. Look again: one of the others has another shape.");
}
