import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NOISY, unpacked } from "../lib/fitsFiles";
import { fetchPixels, keepPixels, pixelsAt } from "./pixelStore";

/** Requests in their order, each answered when a test says so. */
const asked: { address: string; answer: (status: number) => void }[] = [];

const addresses = () => asked.map(({ address }) => address);
const settled = () => new Promise((done) => setTimeout(done));

async function answerNext(status = 200): Promise<void> {
  asked.shift()?.answer(status);
  await settled();
}

beforeEach(() => {
  vi.stubGlobal(
    "fetch",
    (address: string) =>
      new Promise((done) => {
        const answer = (status: number) => done(new Response(unpacked(NOISY), { status }));
        asked.push({ address, answer });
      }),
  );
});

afterEach(async () => {
  keepPixels(new Set());
  while (asked.length) await answerNext();
  vi.unstubAllGlobals();
});

test("pixels are fetched once and are there at once from then on", async () => {
  const [first, second] = [fetchPixels("a"), fetchPixels("a")];
  await settled();
  expect(addresses()).toEqual(["a"]);
  expect(pixelsAt("a")).toBeNull();
  await answerNext();
  expect(pixelsAt("a")?.width).toBe(8);
  expect(await first).toBe(await second);
});

test("four are under way at once, and what is on the page goes first", async () => {
  for (const address of "abcdefg") fetchPixels(address, false).catch(() => {});
  await settled();
  expect(addresses()).toEqual(["a", "b", "c", "d"]);
  fetchPixels("g").catch(() => {});
  await answerNext();
  expect(addresses()).toEqual(["b", "c", "d", "g"]);
});

test("an address that failed can be asked for again, and makes room for the next", async () => {
  const failed = expect(fetchPixels("a")).rejects.toThrow("a answered 404.");
  await settled();
  await answerNext(404);
  await failed;
  const again = fetchPixels("a");
  await settled();
  await answerNext();
  expect((await again).height).toBe(8);
});

test("what is no longer wanted is neither kept nor fetched", async () => {
  const dropped: string[] = [];
  for (const address of "abcdefg") {
    fetchPixels(address, false).catch(() => dropped.push(address));
  }
  await settled();
  await answerNext();
  keepPixels(new Set(["b", "f"]));
  await settled();
  expect(pixelsAt("a")).toBeNull();
  expect(dropped).toEqual(["g"]);
  while (asked.length) {
    expect(addresses()).not.toContain("g");
    await answerNext();
  }
  expect(pixelsAt("f")).not.toBeNull();
  expect(pixelsAt("c")).toBeNull();
});
