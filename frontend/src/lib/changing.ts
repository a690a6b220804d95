/** A volunteer's last answer: what it takes to show it again, to change it, and to keep it. */
import type { Item } from "./classifying";
import { NO_TICKS } from "./grid";
import type { Vote } from "./parcels";
import { NO_REMARKS } from "./remarks";
import { UNTOUCHED, type Work } from "./work";

export interface LastAnswer {
  vote: Vote;
  item: Item;
  label: string;
  /** Experts have been heard on the item, so another answer would no longer be one's own. */
  isTold: boolean;
  /** The answer that this one changed, which counts again if the server does not take the change. */
  earlier: LastAnswer | null;
}

export interface Changing {
  last: LastAnswer;
  /** What was done with the item that waits behind. */
  aside: Work;
}

/** The work with an item as its vote had left it; a question is asked again from the root. */
export function workOf({ vote, item }: LastAnswer): Work {
  const places = item.members.flatMap(({ subject_id }, place) =>
    subject_id !== null && vote.grid?.ticked.includes(subject_id) ? [place] : [],
  );
  return {
    ...UNTOUCHED,
    ticks: { ...NO_TICKS, ticked: places },
    remarks: { ...NO_REMARKS, ...vote.remarks },
    marks: vote.marks ?? [],
  };
}

/** Whether both say the same of their item. */
export function isSameAnswer(one: Vote, other: Vote): boolean {
  const saying = ({ path, grid, remarks, marks }: Vote) =>
    JSON.stringify([path, grid, remarks, marks]);
  return saying(one) === saying(other);
}

/** The answer chosen before to the question at the end of `path`, if that was on its way. */
export function chosenBefore(changing: Changing | null, path: readonly string[]): string | null {
  const before = changing?.last.vote.path;
  if (!before || path.some((key, place) => before[place] !== key)) return null;
  return before[path.length] ?? null;
}

/** The last answer when the server has refused one vote for good. */
export function withoutVote(last: LastAnswer | null, uuid: string): LastAnswer | null {
  if (!last) return null;
  if (last.vote.client_uuid === uuid) return last.earlier;
  return { ...last, earlier: withoutVote(last.earlier, uuid) };
}
