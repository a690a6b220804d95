/** What a volunteer is told after an item whose class experts know. */
import type { components } from "../api/schema";
import type { Item } from "./classifying";
import { leafOf, type Tree } from "./tree";
import { t } from "./words";

export type Gold = NonNullable<components["schemas"]["Vote"]["gold"]>;

export interface Feedback {
  isRight: boolean;
  words: string;
  /** The class that experts see. */
  label: string;
  item: Item;
}

export function feedbackOf(gold: Gold, item: Item, tree: Tree): Feedback {
  const words = gold.is_right ? rightWords(gold) : helpfulWords(gold, tree);
  return { isRight: gold.is_right, words, label: gold.label, item };
}

function rightWords(gold: Gold): string {
  return t("Right: experts call this one {label}, too.", { label: gold.label_title });
}

function helpfulWords(gold: Gold, tree: Tree): string {
  const help = leafOf(tree, gold.label)?.help;
  const verdict = t("Experts call this one {label}.", { label: gold.label_title });
  return help ? `${verdict} ${t("Here is what to look for:")} ${help}` : verdict;
}
