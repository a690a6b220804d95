/** Links to a single item: the one that a page was opened by, and those that are passed on. */
import type { Item } from "./classifying";
import { t } from "./words";

/** The item that an address asks to see first: /campaigns/radio/classify/?item=7. */
export function linkedItem(search: string): number | null {
  const text = new URLSearchParams(search).get("item") ?? "";
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

/** Pass the item's link on by what the browser has for it; says what has become of it. */
export async function share(
  item: Item,
  { origin }: Pick<Location, "origin"> = location,
  browser: Partial<Pick<Navigator, "share" | "clipboard">> = navigator,
): Promise<string | null> {
  const url = new URL(item.share_url, origin).href;
  try {
    if (browser.share) {
      await browser.share({ title: item.title, url });
      return t("The link is passed on.");
    }
    await browser.clipboard?.writeText(url);
    if (browser.clipboard) return t("The link to this one is copied.");
  } catch (reason) {
    // The volunteer thought better of it.
    if ((reason as Error).name === "AbortError") return null;
  }
  return t("The link to this one: {url}", { url });
}
