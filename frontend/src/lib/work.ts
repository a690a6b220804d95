/** What a volunteer has done with the item before them, as long as it is not answered. */
import { NO_TICKS, type Ticks } from "./grid";
import type { SentMark } from "./marks";
import { NO_REMARKS, type Remarks } from "./remarks";

export interface Work {
  /** Answers so far, from the root of the tree. */
  path: readonly string[];
  /** The ticked members of a grid. */
  ticks: Ticks;
  remarks: Remarks;
  marks: readonly SentMark[];
  /** Places are being marked: those of the answer given, or ahead of an answer. */
  marking: { answer: { path: string[]; label: string } | null } | null;
  /** When the item's picture was there, in milliseconds; null until then. */
  shownAt: number | null;
  /** From when on an answer counts; null until the picture is there. */
  readyAt: number | null;
}

export const UNTOUCHED: Work = {
  path: [],
  ticks: NO_TICKS,
  remarks: NO_REMARKS,
  marks: [],
  marking: null,
  shownAt: null,
  readyAt: null,
};

/** Put aside, to be taken up again when the picture is shown again. */
export function aside({ path, ticks, remarks, marks, marking }: Work): Work {
  return { ...UNTOUCHED, path, ticks, remarks, marks, marking };
}
