/**
 * What happens while a volunteer classifies, without a page or a network: `advance(state, event)`.
 *
 * Items wait in `queue`, the first is shown: a grid whose members are ticked, or anything else with
 * the question tree. An answer that ends the tree, or a grid that is sent, becomes a vote in `unsent`
 * and the next item is shown at once; what is in `unsent` leaves it when the server has spoken.
 * While the last answer is being changed its item stands first again, and the one that was shown waits
 * behind it with what was done so far.
 */
import type { components } from "../api/schema";
import type { ApiError } from "./api";
import { type Changing, isSameAnswer, type LastAnswer, withoutVote, workOf } from "./changing";
import { type Feedback, feedbackOf, type Gold } from "./gold";
import { answerOf, cleared, countOf, sentenceOf, toggled, undone, type Verdict } from "./grid";
import type { SentMark } from "./marks";
import { type Parcel, parcelOf, relinked, type Vote } from "./parcels";
import { isSilent, type Remarks } from "./remarks";
import { type Question, questionAt, rolesOf, type Tree } from "./tree";
import { guestWords, missingWords, refusalWords } from "./voteWords";
import { t } from "./words";
import { aside, UNTOUCHED, type Work } from "./work";

export type Item = components["schemas"]["Item"];
export type Served = components["schemas"]["Next"];
/** Why the wanted item is not among those served. */
export type Missing = NonNullable<Served["notice"]>;
export type Supply = Served["state"];
export type End = Exclude<Supply, "items"> | "cookies" | "revised" | "refused";

export interface State extends Work {
  tree: Tree;
  version: number;
  queue: Item[];
  unsent: Parcel[];
  answered: number;
  last: LastAnswer | null;
  changing: Changing | null;
  /** The last answered items, for what the server has to say of them. */
  recent: Item[];
  /** What experts say of an item answered before, until so many answers are given. */
  feedback: (Feedback & { until: number }) | null;
  /** The server has answered once, so it knows this browser's volunteer. */
  hasBegun: boolean;
  /** It did no longer; asking for items makes this browser's volunteer known again. */
  isStranger: boolean;
  /** The server had nothing more to add to the queue. */
  isDry: boolean;
  end: End | null;
  /** The last try to fetch items, or to send something, did not reach the server. */
  isFetchFailing: boolean;
  isSendFailing: boolean;
  notice: string | null;
  /** For screen readers. */
  said: string;
}

/** Where a new vote gets its name and its times from. */
interface Moment {
  uuid: string;
  now: number;
  clock: Date;
}

export type Event =
  | { type: "served"; supply: Supply; items: Item[]; missing?: Missing | null }
  | { type: "shown"; item: number; now: number }
  | ({ type: "answered"; key: string } & Moment)
  | { type: "back" }
  | { type: "ticked"; place: number; now: number }
  | { type: "ticks_undone" }
  | { type: "ticks_cleared" }
  | ({ type: "sorted"; verdict: Verdict } & Moment)
  | { type: "marking_opened" }
  | { type: "marks_put"; marks: readonly SentMark[] }
  | ({ type: "marks_done" } & Moment)
  | { type: "remarked"; remarks: Remarks }
  | { type: "changed" }
  | { type: "kept" }
  | { type: "skipped"; item: number; uuid: string }
  | { type: "favoured"; uuid: string }
  | { type: "told"; words: string }
  | { type: "elsewhere"; item: number }
  | { type: "taken"; uuid: string; gold: Gold | null }
  | { type: "feedback_closed" }
  | { type: "refused"; uuid: string | null; error: ApiError };

/** The server hands out no more items at once. */
export const AT_ONCE = 12;

/** So many items are held at most. */
export const HELD = 16;

/** With fewer some are fetched again: ten can be answered at any time, and every fifth asks anew. */
const FEWEST_HELD = 12;

/** An answer sooner than this after the question appeared is the second half of a double click. */
export const SHORTEST_LOOK_MS = 250;

/** What experts say stays while the next item is answered and the one after it. */
const FEEDBACK_STAYS = 2;

/** As many items as can be answered before the server has spoken on the first. */
const REMEMBERED = 2 * HELD;

/** Refusals that leave nothing more to be answered here. */
const ENDING: Record<string, End> = { campaign_closed: "closed", question_outdated: "revised" };

/** After these the last answer can still be changed. */
const OPEN_ENDS: (End | null)[] = [null, "seen_all", "done"];

export function beginning(tree: Tree, version: number, unsent: Parcel[]): State {
  return {
    ...UNTOUCHED,
    tree,
    version,
    queue: [],
    unsent,
    answered: 0,
    last: null,
    changing: null,
    recent: [],
    feedback: null,
    hasBegun: false,
    isStranger: false,
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
      return served(state, event.supply, event.items, event.missing ?? null);
    case "shown":
      return state.queue[0]?.id === event.item && state.shownAt === null
        ? { ...state, shownAt: event.now, readyAt: event.now + SHORTEST_LOOK_MS }
        : state;
    case "answered":
      return answered(state, event);
    case "back":
      return back(state);
    case "ticked":
      return ticked(state, event.place, event.now);
    case "ticks_undone":
      return counting({ ...state, ticks: undone(state.ticks) });
    case "ticks_cleared":
      return counting({ ...state, ticks: cleared(state.ticks) });
    case "sorted":
      return sorted(state, event);
    case "marking_opened":
      return canMark(state) ? { ...state, marking: { answer: null } } : state;
    case "marks_put":
      return state.marking ? { ...state, marks: event.marks } : state;
    case "marks_done":
      return marksDone(state, event);
    case "remarked":
      return { ...state, remarks: event.remarks };
    case "changed":
      return changed(state);
    case "kept":
      return state.changing ? kept(state, t("Your answer stays as it was.")) : state;
    case "skipped":
      return skipped(state, event.item, event.uuid);
    case "favoured":
      return favoured(state, event.uuid);
    case "told":
      return { ...state, notice: event.words, said: event.words };
    case "elsewhere":
      return { ...state, queue: withoutWaiting(state, event.item) };
    case "taken":
      return taken(state, event.uuid, event.gold);
    case "feedback_closed":
      return { ...state, feedback: null };
    case "refused":
      return refused(state, event.uuid, event.error);
  }
}

// What the page asks of the state -------------------------------------------------------------
/** How many items to ask the server for now. */
export function wanted(state: State): number {
  if (state.end) return 0;
  const { length } = state.queue;
  if (!state.hasBegun) return length ? 1 : AT_ONCE;
  if (!length) return state.unsent.length ? 0 : AT_ONCE;
  return state.isDry || length >= FEWEST_HELD ? 0 : Math.min(AT_ONCE, HELD - length);
}

/** Items that the server need not send: they are here, or their answer is on its way. */
export function held(state: State): number[] {
  const away = state.unsent.filter(({ kind }) => kind !== "favourite");
  return [...new Set([...state.queue.map(({ id }) => id), ...away.map(({ item }) => item)])];
}

export function isOffline(state: State): boolean {
  return state.isFetchFailing || state.isSendFailing;
}

/** How many answers the server has not got yet. */
export function countWaiting(state: State): number {
  return state.unsent.filter(({ kind }) => kind === "vote").length;
}

/** The question of the tree before the volunteer; none without an item and for a grid. */
export function asked(state: State): Question | null {
  const item = state.queue[0];
  return item && item.kind !== "grid" ? questionAt(state.tree, state.path, item.kind) : null;
}

export function canChange(state: State): boolean {
  return state.last !== null && !state.changing && !state.marking && OPEN_ENDS.includes(state.end);
}

/** Whether places can be marked in the item shown: without a scale nobody knows where they are. */
export function canMark(state: State): boolean {
  const item = state.queue[0];
  if (!item || item.kind === "grid" || item.main.scale_arcsec === null) return false;
  return !state.marking && rolesOf(state.tree).length > 0;
}

// Items ---------------------------------------------------------------------------------------
function served(state: State, supply: Supply, items: Item[], missing: Missing | null): State {
  const known = new Set(held(state));
  const fresh = items.filter((item) => !known.has(item.id));
  if (fresh.some((item) => item.question_version > state.version)) {
    return { ...state, queue: [], end: "revised", isFetchFailing: false };
  }
  const queue = [...state.queue, ...fresh];
  const isDry = supply !== "items" || fresh.length === 0;
  const end = queue.length ? state.end : supply === "items" ? "seen_all" : supply;
  const notice = missing ? missingWords(missing, queue.length > 0) : state.notice;
  const next = { ...state, queue, isDry, end, notice, hasBegun: true, isFetchFailing: false };
  return state.queue.length === 0 && queue.length ? asking(next, missing ? notice : null) : next;
}

/** The queue without an item that another tab has answered; what was looked at here stays. */
function withoutWaiting({ queue, changing }: State, item: number): Item[] {
  const n_looked_at = changing ? 2 : 1;
  return queue.filter(({ id }, place) => place < n_looked_at || id !== item);
}

/** The next item, or the one that was put aside for the last answer. */
function nextItem(state: State): State {
  const work = state.changing ? state.changing.aside : UNTOUCHED;
  const isDry = state.changing !== null && state.isDry;
  return { ...state, ...work, queue: state.queue.slice(1), changing: null, isDry };
}

function skipped(state: State, item: number, uuid: string): State {
  if (state.queue[0]?.id !== item) return state;
  if (state.changing) return kept(state, t("Your answer stays as it was."));
  const unsent: Parcel[] = [...state.unsent, { kind: "skip", uuid, item }];
  return asking({ ...nextItem(state), unsent, notice: null }, t("Skipped."));
}

/** Take the item shown among the favourites, or take it out again. */
function favoured(state: State, uuid: string): State {
  const shown = state.queue[0];
  if (!shown) return state;
  const is_favourite = !shown.is_favourite;
  const unsent: Parcel[] = [
    ...state.unsent,
    { kind: "favourite", uuid, item: shown.id, is_favourite },
  ];
  const said = is_favourite
    ? t("This one is among your favourites now.")
    : t("This one is no longer among your favourites.");
  return { ...favouriteSet(state, shown.id, is_favourite), unsent, said };
}

function favouriteSet(state: State, id: number, is_favourite: boolean): State {
  const set = (item: Item) => (item.id === id ? { ...item, is_favourite } : item);
  const last = state.last && { ...state.last, item: set(state.last.item) };
  return { ...state, queue: state.queue.map(set), last };
}

// Answers -------------------------------------------------------------------------------------
function answered(state: State, { key, ...moment }: { key: string } & Moment): State {
  if (!isReady(state, moment.now) || state.marking) return state;
  const answer = asked(state)?.answers.find((one) => one.key === key);
  if (!answer) return state;
  const path = [...state.path, answer.key];
  if (answer.next) return asking({ ...state, path, readyAt: moment.now + SHORTEST_LOOK_MS });
  const given = { path, label: answer.label };
  if (answer.asks_marks && canMark(state)) {
    return { ...state, marking: { answer: given } };
  }
  return voted(state, moment, { path }, answer.label);
}

/** To the question before; from the marks to the question. */
function back(state: State): State {
  if (state.marking) return asking({ ...state, marking: null });
  return state.path.length ? asking({ ...state, path: state.path.slice(0, -1) }) : state;
}

function marksDone(state: State, moment: Moment): State {
  if (!state.marking) return state;
  const { answer } = state.marking;
  if (!answer) return asking({ ...state, marking: null });
  return voted(state, moment, { path: answer.path }, answer.label);
}

function ticked(state: State, place: number, now: number): State {
  const item = state.queue[0];
  if (item?.kind !== "grid" || place >= item.members.length || !isReady(state, now)) return state;
  return counting({ ...state, ticks: toggled(state.ticks, place) });
}

function sorted(state: State, { verdict, ...moment }: { verdict: Verdict } & Moment): State {
  const item = state.queue[0];
  if (item?.kind !== "grid" || !isReady(state, moment.now)) return state;
  const places = verdict === "sorted" ? state.ticks.ticked : [];
  const subjects = places.map((place) => item.members[place]?.subject_id ?? null);
  const grid = { verdict, ticked: subjects.filter((id) => id !== null) };
  return voted(state, moment, { grid }, answerOf(verdict, places.length, item.members.length));
}

/** Put the vote in the list and show the next item. */
function voted(
  state: State,
  { uuid, now, clock }: Moment,
  answer: Pick<Vote, "path"> | Pick<Vote, "grid">,
  label: string,
): State {
  const item = state.queue[0];
  if (!item || state.shownAt === null) return state;
  const earlier = state.changing?.last ?? null;
  const vote: Vote = {
    client_uuid: uuid,
    item: item.id,
    question_version: item.question_version,
    ...answer,
    seconds: (now - state.shownAt) / 1000,
    answered_at: clock.toISOString(),
    ...(earlier && { supersedes: earlier.vote.client_uuid }),
    ...(!isSilent(state.remarks) && { remarks: state.remarks }),
    ...(state.marks.length > 0 && { marks: [...state.marks] }),
  };
  if (earlier && isSameAnswer(earlier.vote, vote)) {
    return kept(state, t("Your answer stays as it was."));
  }
  const count = earlier ? state.answered : state.answered + 1;
  const words = earlier
    ? t("Your answer is {answer} now.", { answer: label })
    : t("You said: {answer}.", { answer: label });
  const next = {
    ...nextItem(state),
    unsent: [...state.unsent, parcelOf(vote)],
    answered: count,
    last: { vote, item, label, isTold: false, earlier },
    recent: [...state.recent, item].slice(-REMEMBERED),
    feedback: state.feedback && state.feedback.until > count ? state.feedback : null,
    notice: earlier ? words : null,
  };
  return asking(next, words);
}

// The last answer -----------------------------------------------------------------------------
/** Show the last answer's item again, as it was answered. */
function changed(state: State): State {
  const { last } = state;
  if (!last || !canChange(state)) return state;
  if (last.isTold) {
    const notice = t("You know what experts say of your last one, so your answer to it stays.");
    return { ...state, notice, said: notice };
  }
  const next = {
    ...state,
    ...workOf(last),
    queue: [last.item, ...state.queue],
    changing: { last, aside: aside(state) },
    feedback: null,
    end: null,
    notice: null,
  };
  return asking(next, changingWords(last));
}

/** What is said above an item whose answer is being changed. */
export function changingWords({ item, label }: LastAnswer): string {
  return t("You are changing your answer to {title}. You said: {answer}.", {
    title: item.title,
    answer: label,
  });
}

/** Leave the last answer as it is, and go on with what was put aside. */
function kept(state: State, words: string): State {
  return asking({ ...nextItem(state), notice: words }, words);
}

// The server's word ---------------------------------------------------------------------------
/** The server has it; what experts say of a vote's item is told if the item was just shown. */
function taken(state: State, uuid: string, gold: Gold | null): State {
  const parcel = state.unsent.find((one) => one.uuid === uuid);
  const item = state.recent.find((one) => one.id === parcel?.item);
  const notice = state.isStranger ? guestWords() : state.notice;
  const rest = { ...withoutParcel(state, uuid), isSendFailing: false, isStranger: false, notice };
  if (!gold || !item || parcel?.kind !== "vote" || isUnderChange(state, uuid)) return rest;
  const feedback = feedbackOf(gold, item, state.tree);
  const until = state.answered + FEEDBACK_STAYS;
  const { last: given } = state;
  const last = given?.item.id === item.id ? { ...given, isTold: true } : given;
  return { ...rest, last, feedback: { ...feedback, until }, said: feedback.words };
}

/** Whether another answer to the vote's item is being given or on its way. */
function isUnderChange(state: State, uuid: string): boolean {
  return state.changing?.last.vote.client_uuid === uuid || isSuperseded(state, uuid);
}

function isSuperseded(state: State, uuid: string): boolean {
  return state.unsent.some((one) => one.kind === "vote" && one.vote.supersedes === uuid);
}

function refused(state: State, uuid: string | null, error: ApiError): State {
  const failing = uuid === null ? "isFetchFailing" : "isSendFailing";
  if (error.isPassing) return { ...state, [failing]: true };
  const reached = { ...state, [failing]: false };
  if (error.code === "volunteer_unknown" && !state.isStranger) {
    return { ...reached, hasBegun: false, isDry: false, isStranger: true };
  }
  if (error.status === 403) {
    const end = error.code === "volunteer_unknown" ? "cookies" : "refused";
    return { ...reached, end, notice: error.message };
  }
  if (uuid !== null) return turnedDown(reached, uuid, error);
  const end = ENDING[error.code];
  return end ? { ...reached, end } : { ...reached, end: "refused", notice: error.message };
}

/** What the server will never take is told once and lies in nobody's way. */
function turnedDown(state: State, uuid: string, error: ApiError): State {
  const parcel = state.unsent.find((one) => one.uuid === uuid);
  const rest = withoutParcel(state, uuid);
  if (!parcel || parcel.kind === "skip") return rest;
  if (parcel.kind === "favourite") {
    const before = favouriteSet(rest, parcel.item, !parcel.is_favourite);
    return { ...before, notice: error.message, said: error.message };
  }
  // Votes of an earlier visit were not counted here, and may be of another campaign.
  const isOfHere = state.recent.some(({ id }) => id === parcel.item);
  const isCounted = isOfHere && !parcel.vote.supersedes && !isSuperseded(state, uuid);
  const left = state.changing?.last.vote.client_uuid === uuid ? asking(nextItem(rest)) : rest;
  return {
    ...left,
    unsent: relinked(rest.unsent, parcel),
    answered: Math.max(0, state.answered - (isCounted ? 1 : 0)),
    last: withoutVote(state.last, uuid),
    end: (isOfHere && ENDING[error.code]) || left.end,
    notice: refusalWords(error, !!parcel.vote.supersedes),
  };
}

function withoutParcel(state: State, uuid: string): State {
  return { ...state, unsent: state.unsent.filter((one) => one.uuid !== uuid) };
}

function isReady(state: State, now: number): boolean {
  return state.readyAt !== null && now >= state.readyAt;
}

/** Say aloud what has just happened, and what is asked now. */
function asking(state: State, before: string | null = null): State {
  const item = state.queue[0];
  if (!item) return before ? { ...state, said: before } : state;
  const question = item.kind === "grid" ? sentenceOf(item) : asked(state)?.text;
  const said = [before, `${item.description}.`, question].filter(Boolean).join(" ");
  return { ...state, said };
}

/** Say aloud how many members are ticked. */
function counting(state: State): State {
  return { ...state, said: countOf(state.ticks.ticked.length) };
}
