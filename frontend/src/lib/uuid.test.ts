import { expect, test } from "vitest";
import { randomUuid } from "./uuid";

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const withoutRandomUuid = {
  getRandomValues: <T extends ArrayBufferView | null>(array: T) =>
    crypto.getRandomValues(array as never) as T,
};

test("the browser's own UUID has the form of version 4", () => {
  expect(randomUuid()).toMatch(FORM);
});

test("a browser without randomUUID makes the same form", () => {
  for (let round = 0; round < 50; round++) expect(randomUuid(withoutRandomUuid)).toMatch(FORM);
});

test("no two are alike", () => {
  const made = Array.from({ length: 500 }, () => randomUuid(withoutRandomUuid));
  expect(new Set(made).size).toBe(500);
});
