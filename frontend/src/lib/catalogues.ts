/** Brings the words of the page's language; English needs none, for it is written in the source. */
import { type Catalogue, speak } from "./words";

const CATALOGUES: Record<string, () => Promise<{ default: unknown }>> = {
  de: () => import("../locale/de.json"),
};

/** Start as soon as the words are there: in English at once. */
export function inWordsOf(language: string, start: () => void): void {
  const words = wordsOf(language);
  if (words === null) start();
  // Words that cannot be loaded are said in English.
  else words.then(speak, () => undefined).then(start);
}

/** Load the words of a language; null where it is said as it is written. */
export function wordsOf(language: string): Promise<Catalogue> | null {
  const load = CATALOGUES[language];
  return load ? load().then((words) => words.default as Catalogue) : null;
}
