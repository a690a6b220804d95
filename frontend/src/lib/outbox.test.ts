import { expect, test } from "vitest";
import { ApiError } from "./api";
import { type Means, type Outbox, outboxOf, type Word } from "./outbox";
import { type Kept, type Parcel, parcelOf, requestOf, type Vote } from "./parcels";
import { type Shelf, type Store, shelfOf } from "./shelf";

const vote = (uuid: string, more: Partial<Vote> = {}): Parcel =>
  parcelOf({
    client_uuid: uuid,
    item: 7,
    question_version: 1,
    path: ["fri"],
    seconds: 3.5,
    answered_at: "2026-11-23T10:00:00.000Z",
    ...more,
  });
const SKIP: Parcel = { kind: "skip", uuid: "s", item: 7 };

function shared(): Shelf {
  const rows = new Map<string, Kept>();
  const store: Store = {
    all: async () => [...rows.values()],
    put: async (parcel) => void rows.set(parcel.uuid, parcel),
    remove: async (uuid) => void rows.delete(uuid),
  };
  return shelfOf(null, store);
}

/** A server that takes what comes, unless it is told to refuse it. */
class Server {
  readonly got: Parcel[] = [];
  readonly refusals = new Map<string, ApiError>();
  deliver = async (parcel: Parcel) => {
    this.got.push(parcel);
    const refusal = this.refusals.get(parcel.uuid);
    if (refusal) throw refusal;
    return null;
  };
  get uuids() {
    return this.got.map(({ uuid }) => uuid);
  }
}

/** One lock for all tabs, as the browser has. */
function lock(): Means["alone"] {
  let before = Promise.resolve();
  return (work) => {
    before = before.then(work);
    return before;
  };
}

function tab(server: Server, more: Partial<Means> = {}): [Outbox, Word[]] {
  const words: Word[] = [];
  const outbox = outboxOf({
    shelf: shared(),
    deliver: server.deliver,
    alone: lock(),
    channel: null,
    now: () => 0,
    ...more,
  });
  outbox.onWord((word) => words.push(word));
  return [outbox, words];
}

const uuidsKept = async (outbox: Outbox) => (await outbox.kept()).map(({ uuid }) => uuid);
const OFFLINE = new ApiError(0, "unreachable", "");

test("all is sent in the order in which it was done, and then forgotten", async () => {
  const server = new Server();
  const [outbox, words] = tab(server);
  for (const parcel of [vote("b"), SKIP, vote("a", { supersedes: "b" })]) await outbox.put(parcel);
  await outbox.drain();
  expect(server.uuids).toEqual(["b", "s", "a"]);
  expect(words.map(({ type }) => type)).toEqual(["taken", "taken", "taken"]);
  expect(await uuidsKept(outbox)).toEqual([]);
});

test("what is put later stands behind what an earlier visit has left", async () => {
  const shelf = shared();
  await shelf.put({ ...vote("earlier"), order: 1000 });
  const [outbox] = tab(new Server(), { shelf, now: () => 10 });
  await outbox.kept();
  await outbox.put(vote("later"));
  expect(await uuidsKept(outbox)).toEqual(["earlier", "later"]);
});

test("without a network nothing is lost and nothing overtakes", async () => {
  const server = new Server();
  server.refusals.set("a", OFFLINE);
  const [outbox, words] = tab(server);
  await outbox.put(vote("a"));
  await outbox.put(SKIP);
  await outbox.drain();
  expect(server.uuids).toEqual(["a"]);
  expect(words).toEqual([{ type: "refused", uuid: "a", error: OFFLINE }]);
  server.refusals.clear();
  await outbox.drain();
  expect(server.uuids).toEqual(["a", "a", "s"]);
});

test("what is refused for good does not keep the others waiting", async () => {
  const server = new Server();
  server.refusals.set("a", new ApiError(409, "item_retired", ""));
  const [outbox, words] = tab(server);
  await outbox.put(vote("a"));
  await outbox.put(vote("b"));
  await outbox.drain();
  expect(words.map(({ type }) => type)).toEqual(["refused", "taken"]);
  expect(await uuidsKept(outbox)).toEqual([]);
});

test("who is not let in keeps all until they are", async () => {
  const server = new Server();
  server.refusals.set("a", new ApiError(403, "volunteer_unknown", ""));
  const [outbox] = tab(server);
  await outbox.put(vote("a"));
  await outbox.put(vote("b"));
  await outbox.drain();
  expect(server.uuids).toEqual(["a"]);
  expect(await uuidsKept(outbox)).toEqual(["a", "b"]);
});

test("a change of a refused vote becomes a first answer, or changes the one before", async () => {
  const server = new Server();
  server.refusals.set("b", new ApiError(400, "answer_invalid", ""));
  const [outbox] = tab(server);
  await outbox.put(vote("b"));
  await outbox.put(vote("c", { supersedes: "b" }));
  await outbox.drain();
  expect(server.got[1]).toMatchObject({ vote: { client_uuid: "c" } });
  expect(server.got[1]).not.toHaveProperty("vote.supersedes");

  server.got.length = 0;
  await outbox.put(vote("a"));
  await outbox.put(vote("b", { supersedes: "a" }));
  await outbox.put(vote("c", { supersedes: "b" }));
  await outbox.drain();
  expect(server.uuids).toEqual(["a", "b", "c"]);
  expect(server.got[2]).toMatchObject({ vote: { supersedes: "a" } });
});

test("two tabs send each parcel once, and both hear of it", async () => {
  const server = new Server();
  const shelf = shared();
  const alone = lock();
  const channels = [0, 1].map(
    (): NonNullable<Means["channel"]> => ({
      postMessage: () => {},
      onmessage: null,
    }),
  );
  for (const [place, channel] of channels.entries()) {
    const other = channels[1 - place];
    channel.postMessage = (data) =>
      other?.onmessage?.call({} as BroadcastChannel, { data } as MessageEvent);
  }
  const [one, heardByOne] = tab(server, { shelf, alone, channel: channels[0] ?? null });
  const [other, heardByOther] = tab(server, { shelf, alone, channel: channels[1] ?? null });
  server.refusals.set("b", new ApiError(409, "item_retired", "Enough votes."));
  await one.put(vote("a"));
  await other.put(vote("b"));
  await Promise.all([one.drain(), other.drain()]);
  expect(server.uuids.toSorted()).toEqual(["a", "b"]);
  expect(heardByOther.shift()).toEqual({ type: "elsewhere", item: 7 });
  expect(heardByOne.shift()).toEqual({ type: "elsewhere", item: 7 });
  for (const heard of [heardByOne, heardByOther]) {
    expect(heard.map((word) => "uuid" in word && `${word.uuid} ${word.type}`).toSorted()).toEqual([
      "a taken",
      "b refused",
    ]);
    const refusal = heard.find((word) => word.type === "refused");
    expect(refusal?.error).toMatchObject({ code: "item_retired", message: "Enough votes." });
    expect(refusal?.error.isPassing).toBe(false);
  }
});

test("turns that were asked for while one waits are one turn", async () => {
  const server = new Server();
  const [outbox] = tab(server);
  server.refusals.set("a", OFFLINE);
  await outbox.put(vote("a"));
  await Promise.all([outbox.drain(), outbox.drain(), outbox.drain()]);
  expect(server.uuids).toEqual(["a"]);
});

test("each parcel has its address", () => {
  const favourite = (is_favourite: boolean): Parcel => ({
    kind: "favourite",
    uuid: "f",
    item: 7,
    is_favourite,
  });
  const addresses = [vote("a"), SKIP, favourite(true), favourite(false)].map((parcel) => {
    const { method, address } = requestOf(parcel);
    return `${method} ${address}`;
  });
  expect(addresses).toEqual([
    "POST /api/votes/",
    "POST /api/items/7/skip/",
    "PUT /api/items/7/favourite/",
    "DELETE /api/items/7/favourite/",
  ]);
});
