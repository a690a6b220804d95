import { afterEach, expect, test } from "vitest";
import { inWordsOf, wordsOf } from "./catalogues";
import { speak, t } from "./words";

afterEach(() => speak({}));

test("English is there at once", () => {
  expect(wordsOf("en")).toBeNull();
});

test("English starts without waiting", () => {
  let started = false;
  inWordsOf("en", () => {
    started = true;
  });
  expect(started).toBe(true);
});

test("German starts when it can speak", async () => {
  await new Promise<void>((resolve) => inWordsOf("de", resolve));
  expect(t("The server cannot be reached.")).toBe("Der Server ist nicht erreichbar.");
});

test("a language that nobody has translated is English", () => {
  expect(wordsOf("fr")).toBeNull();
  expect(wordsOf("")).toBeNull();
});
