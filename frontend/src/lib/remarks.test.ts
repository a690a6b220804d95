import { expect, test } from "vitest";
import { isSilent, MOST_TAGS, NO_REMARKS, tagged, toggledTag } from "./remarks";

test("tags are split at commas and written in one way", () => {
  const { tags } = tagged(NO_REMARKS, " #X-shaped,  double   double ,, x-shaped");
  expect(tags).toEqual(["x-shaped", "double double"]);
});

test("a tag is given and taken back", () => {
  const one = toggledTag(NO_REMARKS, "ring");
  expect(one.tags).toEqual(["ring"]);
  expect(toggledTag(one, "ring").tags).toEqual([]);
});

test("there are not more tags than the server takes", () => {
  const many = Array.from({ length: 30 }, (_, place) => `tag ${place}`).join(",");
  expect(tagged(NO_REMARKS, many).tags).toHaveLength(MOST_TAGS);
});

test("spaces alone say nothing", () => {
  expect(isSilent({ ...NO_REMARKS, comment: "  " })).toBe(true);
  expect(isSilent({ ...NO_REMARKS, is_strange: true })).toBe(false);
  expect(isSilent(tagged(NO_REMARKS, "ring"))).toBe(false);
});
