import { expect, test } from "vitest";
import type { Item } from "./classifying";
import { linkedItem, share } from "./links";

const ITEM = { title: "Prototype 7", share_url: "/items/7/", page_url: "/prototypes/1/" } as Item;
const SITE = { origin: "https://zoo.example" };

test("an address asks for an item by its number", () => {
  expect(linkedItem("?item=7")).toBe(7);
  expect(["", "?item=", "?item=0", "?item=-1", "?item=7a", "?item=1e3"].map(linkedItem)).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});

test("a link is shared by the device where it can", async () => {
  const shared: unknown[] = [];
  const words = await share(ITEM, SITE, { share: async (data) => void shared.push(data) });
  expect(shared).toEqual([{ title: "Prototype 7", url: "https://zoo.example/items/7/" }]);
  expect(words).toBe("The link is passed on.");
});

test("who closes the device's menu is told nothing", async () => {
  const aborted = () => Promise.reject(new DOMException("no", "AbortError"));
  expect(await share(ITEM, SITE, { share: aborted })).toBeNull();
});

test("a link is copied, and shown where that is forbidden", async () => {
  const copied: string[] = [];
  const clipboard = { writeText: async (text: string) => void copied.push(text) } as Clipboard;
  expect(await share(ITEM, SITE, { clipboard })).toBe("The link to this one is copied.");
  expect(copied).toEqual(["https://zoo.example/items/7/"]);
  expect(await share(ITEM, SITE, {})).toBe("The link to this one: https://zoo.example/items/7/");
});
