/**
 * Sends what a volunteer did, in order, each exactly once in effect: parcels have UUIDs by which the
 * server knows them again. Only one tab sends at a time, whatever tab a parcel comes from, and all tabs
 * hear what the server said.
 */
import { ApiError, refreshToken, send } from "./api";
import type { Gold } from "./gold";
import { isFinal, type Kept, type Parcel, relinked, requestOf } from "./parcels";
import { browserStorage, browserStore, type Shelf, shelfOf } from "./shelf";

/** What the server said of a parcel, or that another tab is done with an item. */
export type Word =
  | { type: "taken"; uuid: string; gold: Gold | null }
  | { type: "refused"; uuid: string; error: ApiError }
  | { type: "elsewhere"; item: number };

/** What the server said. */
type Reply = Exclude<Word, { type: "elsewhere" }>;

export interface Outbox {
  /** Keeps a parcel until the server has spoken its last word on it. */
  put: (parcel: Parcel) => Promise<void>;
  kept: () => Promise<Kept[]>;
  /** Sends all that is kept; stops at the first that cannot be sent now. */
  drain: () => Promise<void>;
  onWord: (listen: (word: Word) => void) => void;
}

export interface Means {
  shelf: Shelf;
  deliver: (parcel: Parcel) => Promise<Gold | null>;
  /** Does the work when no other tab does its own. */
  alone: (work: () => Promise<void>) => Promise<void>;
  /** To the other tabs. */
  channel: Channel | null;
  now: () => number;
}

type Channel = Pick<BroadcastChannel, "postMessage" | "onmessage">;

/** A word as it goes from tab to tab: errors would arrive there as strings. */
type Wire =
  | { uuid: string; gold: Gold | null; error: [number, string, string] | null }
  | { item: number };

const NAME = "protozoo.outbox";

export function outboxOf({ shelf, deliver, alone, channel, now }: Means): Outbox {
  const listeners: ((word: Word) => void)[] = [];
  let newest = 0;
  let turn: Promise<void> | null = null;

  const tell = (word: Word) => {
    for (const listen of listeners) listen(word);
  };
  if (channel) channel.onmessage = ({ data }: MessageEvent<Wire>) => tell(wordOf(data));

  const sendAll = async () => {
    for (let [parcel] = await shelf.kept(); parcel; [parcel] = await shelf.kept()) {
      const word = await wordOn(parcel, deliver);
      tell(word);
      if (word.type === "refused" && !isFinal(word.error)) return;
      // The other tabs hear it before they could miss the parcel.
      channel?.postMessage(wireOf(word));
      await settle(shelf, parcel, word);
    }
  };

  return {
    put: async (parcel) => {
      newest = Math.max(newest + 1, now());
      if (parcel.kind !== "favourite") channel?.postMessage({ item: parcel.item });
      await shelf.put({ ...parcel, order: newest });
    },
    kept: async () => {
      const parcels = await shelf.kept();
      newest = Math.max(newest, ...parcels.map(({ order }) => order));
      return parcels;
    },
    // Whoever asks while a turn is still waiting for its beginning shares it.
    drain: () => {
      turn ??= alone(() => {
        turn = null;
        return sendAll();
      });
      return turn;
    },
    onWord: (listen) => {
      listeners.push(listen);
    },
  };
}

async function wordOn(parcel: Kept, deliver: Means["deliver"]): Promise<Reply> {
  try {
    return { type: "taken", uuid: parcel.uuid, gold: await deliver(parcel) };
  } catch (reason) {
    const error =
      reason instanceof ApiError ? reason : new ApiError(500, "unknown", String(reason));
    return { type: "refused", uuid: parcel.uuid, error };
  }
}

function wireOf(reply: Reply): Wire {
  if (reply.type === "taken") return { uuid: reply.uuid, gold: reply.gold, error: null };
  const { status, code, message } = reply.error;
  return { uuid: reply.uuid, gold: null, error: [status, code, message] };
}

function wordOf(wire: Wire): Word {
  if ("item" in wire) return { type: "elsewhere", item: wire.item };
  const { uuid, gold, error } = wire;
  return error
    ? { type: "refused", uuid, error: new ApiError(...error) }
    : { type: "taken", uuid, gold };
}

/** Take a parcel off the shelf, and change those that build on it if it was refused. */
async function settle(shelf: Shelf, parcel: Kept, word: Reply): Promise<void> {
  if (word.type === "refused") {
    const before = await shelf.kept();
    const after = relinked(before, parcel);
    for (const [place, one] of after.entries()) {
      if (one !== before[place]) await shelf.put(one);
    }
  }
  await shelf.remove(parcel.uuid);
}

// The browser's means -------------------------------------------------------------------------
/** The outbox of this site, which all its pages share. */
export async function openOutbox(): Promise<Outbox> {
  return outboxOf({
    shelf: shelfOf(browserStorage(), await browserStore()),
    deliver: delivered,
    alone: aloneAmongTabs,
    channel: "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null,
    now: Date.now,
  });
}

let before: Promise<void> = Promise.resolve();

/** One after the other: among all tabs where the browser has locks, else in this tab. */
function aloneAmongTabs(work: () => Promise<void>): Promise<void> {
  const alone = () =>
    navigator.locks ? navigator.locks.request(NAME, work).then(() => {}) : work();
  before = before.then(alone, alone);
  return before;
}

/** Sends a parcel; where the token was refused, once more with a new one. */
async function delivered(parcel: Parcel): Promise<Gold | null> {
  const request = requestOf(parcel);
  try {
    return goldOf(await send(request));
  } catch (reason) {
    if (!isAboutTheToken(reason)) throw reason;
    await refreshToken();
    return goldOf(await send(request));
  }
}

/** No token helps whom the site does not know at all. */
function isAboutTheToken(reason: unknown): boolean {
  return reason instanceof ApiError && reason.status === 403 && reason.code !== "volunteer_unknown";
}

/** What experts say, in the answer to a vote; skips and favourites are answered by nothing. */
function goldOf(answer: unknown): Gold | null {
  return (answer as { gold?: Gold | null } | null)?.gold ?? null;
}
