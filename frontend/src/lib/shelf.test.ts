import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Kept, parcelOf, type Vote } from "./parcels";
import { browserStorage, type Store, shelfOf } from "./shelf";

class Drawer implements Storage {
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

function database(): Store {
  const rows = new Map<string, Kept>();
  return {
    all: async () => [...rows.values()],
    put: async (parcel) => void rows.set(parcel.uuid, parcel),
    remove: async (uuid) => void rows.delete(uuid),
  };
}

const denied: Store = {
  all: () => Promise.reject(new DOMException("denied", "SecurityError")),
  put: () => Promise.reject(new DOMException("denied", "SecurityError")),
  remove: () => Promise.reject(new DOMException("denied", "SecurityError")),
};

const vote = (uuid: string, minute = 0): Vote => ({
  client_uuid: uuid,
  item: 7,
  question_version: 1,
  path: ["fri"],
  seconds: 3.5,
  answered_at: `2026-11-23T10:0${minute}:00.000Z`,
});
const parcel = (uuid: string, order: number): Kept => ({ ...parcelOf(vote(uuid)), order });
const uuidsOf = (parcels: Kept[]) => parcels.map(({ uuid }) => uuid);

afterEach(() => vi.unstubAllGlobals());

let storage: Storage;
beforeEach(() => {
  storage = new Drawer();
});

test.each([
  ["in the database", () => shelfOf(new Drawer(), database())],
  ["in the storage, where there is no database", () => shelfOf(new Drawer(), null)],
  ["in the storage, where the database fails", () => shelfOf(new Drawer(), denied)],
  ["in memory, where both are denied", () => shelfOf(null, denied)],
])("parcels are kept %s, in their order, until they are removed", async (_, make) => {
  const shelf = make();
  await shelf.put(parcel("b", 2));
  await shelf.put(parcel("a", 1));
  await shelf.put(parcel("a", 1));
  expect(uuidsOf(await shelf.kept())).toEqual(["a", "b"]);
  await shelf.remove("a");
  expect(uuidsOf(await shelf.kept())).toEqual(["b"]);
});

test("a parcel is in the storage at once, and leaves it when the database has it", async () => {
  const put = shelfOf(storage, database()).put(parcel("a", 1));
  expect(storage.length).toBe(1);
  await put;
  expect(storage.length).toBe(0);
});

test("a later visit finds what an earlier one has left in storage and database", async () => {
  const store = database();
  await shelfOf(storage, null).put(parcel("a", 1));
  await shelfOf(null, store).put(parcel("b", 2));
  expect(uuidsOf(await shelfOf(storage, store).kept())).toEqual(["a", "b"]);
});

test("votes that the site kept before it knew parcels are taken over", async () => {
  storage.setItem("protozoo.vote.b", JSON.stringify(vote("b", 2)));
  storage.setItem("protozoo.vote.a", JSON.stringify(vote("a", 1)));
  const shelf = shelfOf(storage, database());
  const kept = await shelf.kept();
  expect(uuidsOf(kept)).toEqual(["a", "b"]);
  expect(kept[0]).toMatchObject({ kind: "vote", item: 7, vote: vote("a", 1) });
  await shelf.remove("a");
  expect(uuidsOf(await shelf.kept())).toEqual(["b"]);
});

test("what cannot be read is thrown away and other entries are left alone", async () => {
  storage.setItem("theme", "dark");
  storage.setItem("protozoo.vote.x", "{half a vo");
  storage.setItem("protozoo.parcel.y", JSON.stringify(parcel("z", 1)));
  const { path: _, ...empty } = vote("w");
  storage.setItem("protozoo.vote.w", JSON.stringify(empty));
  expect(await shelfOf(storage, null).kept()).toEqual([]);
  expect(storage.length).toBe(1);
  expect(storage.getItem("theme")).toBe("dark");
});

test("a full storage stops nobody", async () => {
  storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const shelf = shelfOf(storage, null);
  await shelf.put(parcel("a", 1));
  expect(uuidsOf(await shelf.kept())).toEqual(["a"]);
});

test("a browser that forbids its storage has none", () => {
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get: () => {
      throw new DOMException("denied", "SecurityError");
    },
  });
  expect(browserStorage()).toBeNull();
});
