/** The question tree of a campaign, and where a volunteer stands in it. */

import type { components } from "../api/schema";

export type Answer = components["schemas"]["Answer"];
export type Question = components["schemas"]["Step"];
export type Role = components["schemas"]["Role"];
export type Tree = components["schemas"]["Tree"];
export type Kind = components["schemas"]["ItemKind"];

/**
 * The question that follows the answers of `path`, with only the answers that fit the kind of item.
 * All single subjects are asked alike, whatever the reason for which they are shown.
 */
export function questionAt(tree: Tree, path: readonly string[], kind: Kind): Question {
  let key = tree.root;
  for (const chosen of path) {
    const next = questionOf(tree, key).answers.find((answer) => answer.key === chosen)?.next;
    if (!next) throw new RangeError(`the answer ${chosen} to ${key} leads to no further question`);
    key = next;
  }
  const question = questionOf(tree, key);
  const answers = question.answers.filter(
    ({ kinds }) => !kinds || kinds.some((one) => (one === "prototype") === (kind === "prototype")),
  );
  return { ...question, answers };
}

/** Every answer of the tree that ends it: the words a volunteer can choose. */
export function leaves(tree: Tree): Answer[] {
  return Object.values(tree.questions).flatMap((question) =>
    question.answers.filter((answer) => !answer.next),
  );
}

export function leafOf(tree: Tree, key: string | null): Answer | undefined {
  return leaves(tree).find((answer) => answer.key === key);
}

/** What may be marked in pictures. */
export function rolesOf(tree: Tree): Role[] {
  return tree.marks ?? [];
}

function questionOf(tree: Tree, key: string): Question {
  const question = tree.questions[key];
  if (!question) throw new RangeError(`the tree has no question ${key}`);
  return question;
}
