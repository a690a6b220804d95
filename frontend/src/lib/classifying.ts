/**
 * What happens while a volunteer classifies, without a page or a network: `advance(state, event)`.
 *
 * Items wait in `queue`, the first is shown. An answer that ends the tree becomes a vote in
 * `unsent` and the next item is shown at once; the vote leaves `unsent` when the server has spoken.
 */
import type { components } from "../api/schema";
import type { ApiError } from "./api";
import type { Vote } from "./outbox";
import { type Question, questionAt, type Tree } from "./tree";

export type Item = components["schemas"]["Item"];
export type Served = components["schemas"]["Next"];
export type Supply = Served["state"];
export type End = Exclude<Supply, "items"> | "cookies" | "revised" | "refused";

export interface LastAnswer {
  label: string;
  title: string;
  page_url: string;
}

export interface State {
  tree: Tree;
  version: number;
  queue: Item[];
  /** Answers to the shown item so far, from the root of the tree. */
  path: string[];
  /** When the shown item's picture was there, in milliseconds; null until then. */
  shownAt: number | null;
  /** From when on an answer counts; null until the picture is there. */
  readyAt: number | null;
  unsent: Vote[];
  answered: number;
  last: LastAnswer | null;
  /** The server has answered once, so it knows this browser's volunteer. */
  hasBegun: boolean;
  /** The server had nothing more to add to the queue. */
  isDry: boolean;
  end: End | null;
  /** The last try to fetch items, or to send a vote, did not reach the server. */
  isFetchFailing: boolean;
  isSendFailing: boolean;
  notice: string | null;
  /** For screen readers. */
  said: string;
}

export type Event =
  | { type: "served"; supply: Supply; items: Item[] }
  | { type: "shown"; item: number; now: number }
  | { type: "answered"; key: string; uuid: string; now: number; clock: Date }
  | { type: "back" }
  | { type: "passed_over"; item: number }
  | { type: "taken"; uuid: string }
  | { type: "refused"; uuid: string | null; error: ApiError };

/** So many items are held: the one shown and three to come. */
export const HELD = 4;

/** An answer sooner than this after the question appeared is the second half of a double click. */
export const SHORTEST_LOOK_MS = 250;

export function beginning(tree: Tree, version: number, unsent: Vote[]): State {
  return {
    tree,
    version,
    queue: [],
    path: [],
    shownAt: null,
    readyAt: null,
    unsent,
    answered: 0,
    last: null,
    hasBegun: false,
    isDry: false,
    end: null,
    isFetchFailing: false,
    isSendFailing: false,
    notice: null,
    said: "",
  };
}

export function advance(state: State, event: Event): State {
  switch (event.type) {
    case "served":
      return served(state, event.supply, event.items);
    case "shown":
      return state.queue[0]?.id === event.item && state.shownAt === null
        ? { ...state, shownAt: event.now, readyAt: event.now + SHORTEST_LOOK_MS }
        : state;
    case "answered":
      return answered(state, event);
    case "back":
      return state.path.length ? asking({ ...state, path: state.path.slice(0, -1) }) : state;
    case "passed_over":
      return withoutItem(state, event.item);
    case "taken":
      return { ...withoutVote(state, event.uuid), isSendFailing: false };
    case "refused":
      return refused(state, event.uuid, event.error);
  }
}

/** How many items to ask the server for now. */
export function wanted(state: State): number {
  if (state.end) return 0;
  if (state.queue.length) return state.isDry ? 0 : Math.max(0, HELD - state.queue.length);
  return state.hasBegun && state.unsent.length ? 0 : HELD;
}

/** Items that the server need not send: they are here, or their vote is on its way. */
export function held(state: State): number[] {
  return [...state.queue.map((item) => item.id), ...state.unsent.map((vote) => vote.item)];
}

export function isOffline(state: State): boolean {
  return state.isFetchFailing || state.isSendFailing;
}

/** The question before the volunteer; none without an item. */
export function asked(state: State): Question | null {
  const item = state.queue[0];
  return item ? questionAt(state.tree, state.path, item.kind) : null;
}

function served(state: State, supply: Supply, items: Item[]): State {
  const known = new Set(held(state));
  const fresh = items.filter((item) => !known.has(item.id));
  if (fresh.some((item) => item.question_version > state.version)) {
    return { ...state, queue: [], end: "revised", isFetchFailing: false };
  }
  const queue = [...state.queue, ...fresh];
  const isDry = supply !== "items" || fresh.length === 0;
  const end = queue.length ? state.end : supply === "items" ? "seen_all" : supply;
  const next = { ...state, queue, isDry, end, hasBegun: true, isFetchFailing: false };
  return state.queue.length === 0 && queue.length ? asking(next) : next;
}

function answered(
  state: State,
  event: { key: string; uuid: string; now: number; clock: Date },
): State {
  const item = state.queue[0];
  if (!item || state.shownAt === null || state.readyAt === null) return state;
  if (event.now < state.readyAt) return state;
  const answer = asked(state)?.answers.find((one) => one.key === event.key);
  if (!answer) return state;
  const path = [...state.path, answer.key];
  if (answer.next) return asking({ ...state, path, readyAt: event.now + SHORTEST_LOOK_MS });
  const vote: Vote = {
    client_uuid: event.uuid,
    item: item.id,
    question_version: item.question_version,
    path,
    seconds: (event.now - state.shownAt) / 1000,
    answered_at: event.clock.toISOString(),
  };
  return asking({
    ...nextItem(state),
    unsent: [...state.unsent, vote],
    answered: state.answered + 1,
    last: { label: answer.label, title: item.title, page_url: item.page_url },
    notice: null,
  });
}

function refused(state: State, uuid: string | null, error: ApiError): State {
  const failing = uuid === null ? "isFetchFailing" : "isSendFailing";
  if (error.isPassing) return { ...state, [failing]: true };
  const reached = { ...state, [failing]: false };
  if (error.status === 403) {
    const end = error.code === "volunteer_unknown" ? "cookies" : "refused";
    return { ...reached, end, notice: error.message };
  }
  const rest = uuid === null ? reached : withoutVote(reached, uuid);
  if (error.code === "campaign_closed") return { ...rest, end: "closed" };
  if (error.code === "question_outdated") return { ...rest, end: "revised" };
  if (uuid === null) return { ...rest, end: "refused", notice: error.message };
  const notice = NOTICES[error.code] ?? error.message;
  return { ...rest, answered: Math.max(0, rest.answered - 1), notice };
}

const NOTICES: Record<string, string> = {
  item_retired:
    "Others had already settled your last one. Thank you all the same; here is the next.",
  item_unknown: "Your last one has been withdrawn. Here is the next.",
  already_voted: "You had answered your last one before; your first answer stands.",
};

function nextItem(state: State): State {
  return {
    ...state,
    queue: state.queue.slice(1),
    path: [],
    shownAt: null,
    readyAt: null,
    isDry: false,
  };
}

function withoutItem(state: State, item: number): State {
  return state.queue[0]?.id === item ? asking(nextItem(state)) : state;
}

function withoutVote(state: State, uuid: string): State {
  return { ...state, unsent: state.unsent.filter((vote) => vote.client_uuid !== uuid) };
}

/** Say aloud what is asked now. */
function asking(state: State): State {
  const question = asked(state);
  const about = state.queue[0]?.description;
  return question ? { ...state, said: `${about}. ${question.text}` } : state;
}
