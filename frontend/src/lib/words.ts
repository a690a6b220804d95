/**
 * Says things in the language of the page: `t("Undo")`, `tn("{n} answer", "{n} answers", count)`.
 *
 * The English text is the key. Catalogues come with `speak`, so nothing may be said while a module
 * is loaded: texts of constants stand in functions.
 */

/** A text, or its singular and plural, for each English one. */
export type Catalogue = Record<string, string | readonly [string, string]>;

type Values = Record<string, string | number>;

let words: Catalogue = {};

export function speak(catalogue: Catalogue): void {
  words = catalogue;
}

export function t(text: string, values: Values = {}): string {
  const said = words[text];
  return filled(typeof said === "string" ? said : text, values);
}

/** One or many; `{n}` is the number itself. */
export function tn(one: string, many: string, n: number, values: Values = {}): string {
  const said = words[one];
  const [singular, plural] = Array.isArray(said) ? said : [one, many];
  return filled(n === 1 ? singular : plural, { n, ...values });
}

function filled(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
