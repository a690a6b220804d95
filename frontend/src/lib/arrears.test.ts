import { expect, test } from "vitest";
import { ApiError } from "./api";
import { type Arrears, after, arrearsOf, arrearsWords } from "./arrears";
import type { Word } from "./outbox";
import { type Parcel, parcelOf } from "./parcels";

const vote = (uuid: string): Parcel =>
  parcelOf({
    client_uuid: uuid,
    item: 7,
    question_version: 1,
    path: ["fri"],
    seconds: 3.5,
    answered_at: "2026-11-23T10:00:00.000Z",
  });
const FOUND: Parcel[] = [vote("a"), { kind: "skip", uuid: "s", item: 8 }, vote("b")];
const taken = (uuid: string): Word => ({ type: "taken", uuid, gold: null });
const refused = (uuid: string, status: number, code: string): Word => ({
  type: "refused",
  uuid,
  error: new ApiError(status, code, "In the server's words."),
});
const wordsAfter = (...words: Word[]) =>
  arrearsWords(words.reduce<Arrears>(after, arrearsOf(FOUND)));

test("it says how many answers wait, and thanks when they have arrived", () => {
  expect(wordsAfter()).toMatch(/^2 answers of yours wait .* as soon as there is a connection/);
  expect(wordsAfter(taken("a"), taken("s"))).toMatch(/^1 answer of yours waits/);
  expect(wordsAfter(taken("a"), taken("s"), taken("b"))).toMatch(/^2 answers .* have arrived/);
});

test("with nothing kept it says nothing", () => {
  expect(arrearsWords(arrearsOf([]))).toBeNull();
  expect(arrearsWords(after(arrearsOf([]), taken("another tab's")))).toBeNull();
});

test("without a network it goes on waiting", () => {
  const arrears = after(arrearsOf(FOUND), refused("a", 0, "unreachable"));
  expect([arrears.isFailing, arrears.waiting.length]).toEqual([true, 3]);
  expect(after(arrears, taken("a")).isFailing).toBe(false);
});

test("who is not known is sent to a campaign and loses nothing", () => {
  expect(wordsAfter(refused("a", 403, "volunteer_unknown"))).toMatch(
    /when you go on with a campaign/,
  );
});

test("what is refused for good is told kindly at the end", () => {
  const settled = refused("b", 409, "item_retired");
  expect(wordsAfter(taken("a"), taken("s"), settled)).toMatch(/^Others had already settled/);
});
