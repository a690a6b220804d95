/** What a volunteer is told after an item whose class experts know. */
import type { components } from "../api/schema";
import type { Item } from "./classifying";
import { leafOf, type Tree } from "./tree";

export type Gold = NonNullable<components["schemas"]["Vote"]["gold"]>;

export interface Feedback {
  isRight: boolean;
  words: string;
  item: Item;
}

export function feedbackOf(gold: Gold, item: Item, tree: Tree): Feedback {
  const words = gold.is_right ? rightWords(gold) : helpfulWords(gold, tree);
  return { isRight: gold.is_right, words, item };
}

function rightWords(gold: Gold): string {
  return `Right: experts call this one ${gold.label_title}, too.`;
}

function helpfulWords(gold: Gold, tree: Tree): string {
  const help = leafOf(tree, gold.label)?.help;
  const verdict = `Experts call this one ${gold.label_title}.`;
  return help ? `${verdict} Here is what to look for: ${help}` : verdict;
}
