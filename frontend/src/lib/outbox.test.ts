import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { browserStorage, forget, keep, kept, type Vote } from "./outbox";

class Shelf implements Storage {
  private readonly entries = new Map<string, string>();
  get length() {
    return this.entries.size;
  }
  clear = () => this.entries.clear();
  getItem = (key: string) => this.entries.get(key) ?? null;
  key = (index: number) => [...this.entries.keys()][index] ?? null;
  removeItem = (key: string) => void this.entries.delete(key);
  setItem = (key: string, value: string) => void this.entries.set(key, value);
}

const vote = (uuid: string, minute: number): Vote => ({
  client_uuid: uuid,
  item: 7,
  question_version: 1,
  path: ["fri"],
  seconds: 3.5,
  answered_at: `2026-11-23T10:0${minute}:00.000Z`,
});

afterEach(() => vi.unstubAllGlobals());

let storage: Storage;
beforeEach(() => {
  storage = new Shelf();
});

test("votes come back oldest first", () => {
  keep(storage, vote("b", 2));
  keep(storage, vote("a", 1));
  expect(kept(storage).map((one) => one.client_uuid)).toEqual(["a", "b"]);
});

test("the ticks of a grid are kept as well", () => {
  const { path: _, ...rest } = vote("a", 1);
  const grid: Vote = { ...rest, grid: { verdict: "sorted", ticked: [12, 15] } };
  keep(storage, grid);
  expect(kept(storage)).toEqual([grid]);
});

test("a vote kept twice is one vote, and a forgotten one is gone", () => {
  keep(storage, vote("a", 1));
  keep(storage, vote("a", 1));
  expect(kept(storage)).toHaveLength(1);
  forget(storage, "a");
  expect(kept(storage)).toEqual([]);
});

test("what cannot be read is thrown away and other entries are left alone", () => {
  storage.setItem("theme", "dark");
  storage.setItem("protozoo.vote.x", "{half a vo");
  storage.setItem("protozoo.vote.y", JSON.stringify(vote("z", 1)));
  const { path: _, ...empty } = vote("w", 1);
  storage.setItem("protozoo.vote.w", JSON.stringify(empty));
  expect(kept(storage)).toEqual([]);
  expect(storage.length).toBe(1);
  expect(storage.getItem("theme")).toBe("dark");
});

test("a full storage does not stop anybody", () => {
  storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  expect(() => keep(storage, vote("a", 1))).not.toThrow();
});

test("a browser that forbids its storage loses only the safety net", () => {
  vi.stubGlobal("localStorage", undefined);
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get: () => {
      throw new DOMException("denied", "SecurityError");
    },
  });
  const none = browserStorage();
  expect(none).toBeNull();
  expect(() => keep(none, vote("a", 1))).not.toThrow();
  expect(() => forget(none, "a")).not.toThrow();
  expect(kept(none)).toEqual([]);
});
