/**
 * What happens while a volunteer classifies, without a page or a network: `advance(state, event)`.
 *
 * Items wait in `queue`, the first is shown: a grid whose members are ticked, or anything else with
 * the question tree. An answer that ends the tree, or a grid that is sent, becomes a vote in `unsent`
 * and the next item is shown at once; the vote leaves `unsent` when the server has spoken.
 */
import type { components } from "../api/schema";
import type { ApiError } from "./api";
import { type Feedback, feedbackOf, type Gold } from "./gold";
import {
  answerOf,
  cleared,
  countOf,
  NO_TICKS,
  sentenceOf,
  type Ticks,
  toggled,
  undone,
  type Verdict,
} from "./grid";
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
  /** The ticked members of the shown grid. */
  ticks: Ticks;
  /** When the shown item's picture was there, in milliseconds; null until then. */
  shownAt: number | null;
  /** From when on an answer counts; null until the picture is there. */
  readyAt: number | null;
  unsent: Vote[];
  answered: number;
  last: LastAnswer | null;
  /** The last answered items, for what the server has to say of them. */
  recent: Item[];
  /** What experts say of an item answered before, until so many answers are given. */
  feedback: (Feedback & { until: number }) | null;
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
  | { type: "ticked"; place: number; now: number }
  | { type: "ticks_undone" }
  | { type: "ticks_cleared" }
  | { type: "sorted"; verdict: Verdict; uuid: string; now: number; clock: Date }
  | { type: "passed_over"; item: number }
  | { type: "taken"; uuid: string; gold: Gold | null }
  | { type: "feedback_closed" }
  | { type: "refused"; uuid: string | null; error: ApiError };

/** So many items are held: the one shown and three to come. */
export const HELD = 4;

/** An answer sooner than this after the question appeared is the second half of a double click. */
export const SHORTEST_LOOK_MS = 250;

/** What experts say stays while the next item is answered and the one after it. */
const FEEDBACK_STAYS = 2;

/** As many items as can be answered before the server has spoken on the first. */
const REMEMBERED = 8;

export function beginning(tree: Tree, version: number, unsent: Vote[]): State {
  return {
    tree,
    version,
    queue: [],
    path: [],
    ticks: NO_TICKS,
    shownAt: null,
    readyAt: null,
    unsent,
    answered: 0,
    last: null,
    recent: [],
    feedback: null,
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
    case "ticked":
      return ticked(state, event.place, event.now);
    case "ticks_undone":
      return counting({ ...state, ticks: undone(state.ticks) });
    case "ticks_cleared":
      return counting({ ...state, ticks: cleared(state.ticks) });
    case "sorted":
      return sorted(state, event);
    case "passed_over":
      return withoutItem(state, event.item);
    case "taken":
      return taken(state, event.uuid, event.gold);
    case "feedback_closed":
      return { ...state, feedback: null };
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

/** The question of the tree before the volunteer; none without an item and for a grid. */
export function asked(state: State): Question | null {
  const item = state.queue[0];
  return item && item.kind !== "grid" ? questionAt(state.tree, state.path, item.kind) : null;
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
  if (!isReady(state, event.now)) return state;
  const answer = asked(state)?.answers.find((one) => one.key === event.key);
  if (!answer) return state;
  const path = [...state.path, answer.key];
  if (answer.next) return asking({ ...state, path, readyAt: event.now + SHORTEST_LOOK_MS });
  return voted(state, event, { path }, answer.label);
}

function ticked(state: State, place: number, now: number): State {
  const item = state.queue[0];
  if (item?.kind !== "grid" || place >= item.members.length || !isReady(state, now)) return state;
  return counting({ ...state, ticks: toggled(state.ticks, place) });
}

function sorted(
  state: State,
  event: { verdict: Verdict; uuid: string; now: number; clock: Date },
): State {
  const item = state.queue[0];
  if (item?.kind !== "grid" || !isReady(state, event.now)) return state;
  const places = event.verdict === "sorted" ? state.ticks.ticked : [];
  const subjects = places.map((place) => item.members[place]?.subject_id ?? null);
  const grid = { verdict: event.verdict, ticked: subjects.filter((id) => id !== null) };
  return voted(state, event, { grid }, answerOf(event.verdict, places.length, item.members.length));
}

/** Put the vote in the list and show the next item. */
function voted(
  state: State,
  { uuid, now, clock }: { uuid: string; now: number; clock: Date },
  answer: Pick<Vote, "path"> | Pick<Vote, "grid">,
  label: string,
): State {
  const item = state.queue[0];
  if (!item || state.shownAt === null) return state;
  const vote: Vote = {
    client_uuid: uuid,
    item: item.id,
    question_version: item.question_version,
    ...answer,
    seconds: (now - state.shownAt) / 1000,
    answered_at: clock.toISOString(),
  };
  const count = state.answered + 1;
  return asking({
    ...nextItem(state),
    unsent: [...state.unsent, vote],
    answered: count,
    last: { label, title: item.title, page_url: item.page_url },
    recent: [...state.recent, item].slice(-REMEMBERED),
    feedback: state.feedback && state.feedback.until > count ? state.feedback : null,
    notice: null,
  });
}

/** The server has the vote; what experts say of its item is told if the item was just shown. */
function taken(state: State, uuid: string, gold: Gold | null): State {
  const vote = state.unsent.find((one) => one.client_uuid === uuid);
  const item = state.recent.find((one) => one.id === vote?.item);
  const rest = { ...withoutVote(state, uuid), isSendFailing: false };
  if (!gold || !item) return rest;
  const feedback = feedbackOf(gold, item, state.tree);
  const until = state.answered + FEEDBACK_STAYS;
  return { ...rest, feedback: { ...feedback, until }, said: feedback.words };
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
    ticks: NO_TICKS,
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

function isReady(state: State, now: number): boolean {
  return state.readyAt !== null && now >= state.readyAt;
}

/** Say aloud what is asked now. */
function asking(state: State): State {
  const item = state.queue[0];
  if (!item) return state;
  const question = item.kind === "grid" ? sentenceOf(item) : asked(state)?.text;
  return { ...state, said: `${item.description}. ${question}` };
}

/** Say aloud how many members are ticked. */
function counting(state: State): State {
  return { ...state, said: countOf(state.ticks.ticked.length) };
}
