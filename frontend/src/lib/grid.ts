/** A grid of members: which of them a volunteer has ticked, what that says, and where keys lead. */
import type { Item } from "./classifying";
import type { Vote } from "./parcels";
import { t, tn } from "./words";

export type Verdict = NonNullable<Vote["grid"]>["verdict"];
export type Direction = "left" | "right" | "up" | "down";

/** Places of the ticked members, counted from 0, and what was ticked before each change. */
export interface Ticks {
  ticked: readonly number[];
  before: readonly (readonly number[])[];
}

export const NO_TICKS: Ticks = { ticked: [], before: [] };

/** The keys of the members in the order of their places: as many as a grid ever shows. */
export const TICK_KEYS = "123456789abcdefg";

// Ticks ---------------------------------------------------------------------------------------
export function toggled(ticks: Ticks, place: number): Ticks {
  const { ticked } = ticks;
  const changed = ticked.includes(place)
    ? ticked.filter((one) => one !== place)
    : [...ticked, place].sort((one, other) => one - other);
  return { ticked: changed, before: [...ticks.before, ticked] };
}

/** All ticks taken back at once, which can itself be undone. */
export function cleared(ticks: Ticks): Ticks {
  return ticks.ticked.length ? { ticked: [], before: [...ticks.before, ticks.ticked] } : ticks;
}

export function undone(ticks: Ticks): Ticks {
  const ticked = ticks.before.at(-1);
  return ticked ? { ticked, before: ticks.before.slice(0, -1) } : ticks;
}

// Words ---------------------------------------------------------------------------------------
/** What the grid says and asks, in one line. */
export function sentenceOf(item: Item): string {
  const [before, after] = callingParts();
  return `${before}${item.label_title}${after} ${t("Tick the ones that are not.")}`;
}

/** The words around the name of a group. */
export function callingParts(): [string, string] {
  const [before = "", after = ""] = t("People call this group {group}.").split("{group}");
  return [before, after];
}

export function countOf(n_ticked: number): string {
  return n_ticked ? tn("{n} ticked", "{n} ticked", n_ticked) : t("None ticked");
}

/** What the button that sends says. */
export function sendingOf(n_ticked: number): string {
  if (!n_ticked) return t("All belong");
  return tn("Send, {n} does not belong", "Send, {n} do not belong", n_ticked);
}

/** An answer that was given, in few words. */
export function answerOf(verdict: Verdict, n_ticked: number, n_members: number): string {
  if (verdict === "too_mixed") return t("Too mixed to say");
  return n_ticked ? t("{n} of {all} ticked", { n: n_ticked, all: n_members }) : t("All belong");
}

// Places --------------------------------------------------------------------------------------
/** How many tiles stand in the first row, told by the tops of all in whole pixels. */
export function columnsOf(tops: readonly number[]): number {
  const below = tops.findIndex((top) => top > (tops[0] ?? 0));
  return below > 0 ? below : Math.max(1, tops.length);
}

/** Where an arrow leads: on in reading order, or within the column; both go round. */
export function neighbor(place: number, to: Direction, columns: number, count: number): number {
  const isForward = to === "right" || to === "down";
  if (place < 0) return isForward ? 0 : count - 1;
  if (to === "left" || to === "right") return (place + (isForward ? 1 : -1) + count) % count;
  const column = place % columns;
  const lowest = column + columns * Math.floor((count - 1 - column) / columns);
  if (isForward) return place === lowest ? column : place + columns;
  return place === column ? lowest : place - columns;
}
