/** Joins the marks of the item shown to the page: what is done, what is kept with the item. */
import { useRef, useState } from "preact/hooks";
import type { Event, Item, State } from "../lib/classifying";
import {
  beginMarking,
  type MarkEvent,
  type Marking,
  marking,
  marksFrom,
  sentMarks,
} from "../lib/marks";
import { rolesOf } from "../lib/tree";
import { usePixels } from "../viewer/usePixels";

export interface MarkWork {
  state: Marking;
  isOpen: boolean;
  /** The pixels are there, so places in the picture are known. */
  isReady: boolean;
  act: (event: MarkEvent) => void;
}

/** Begins anew with each `turn`, with the marks that the item has by then. */
export function useMarking(
  state: State,
  item: Item,
  turn: string,
  dispatch: (event: Event) => void,
): MarkWork {
  const { pixels } = usePixels(item.main.pixels_url);
  const scale = item.main.scale_arcsec;
  const half = pixels && scale ? (pixels.width / 2) * scale : 0;
  const newest = useRef<{ turn: string; marking: Marking } | null>(null);
  if (newest.current?.turn !== turn) {
    const begun = beginMarking(rolesOf(state.tree), half, marksFrom(state.marks));
    newest.current = { turn, marking: begun };
  }
  const [, redraw] = useState<Marking | null>(null);
  const now = { ...newest.current.marking, half };
  const act = (event: MarkEvent) => {
    // Several events may come before the page is drawn again: each goes on from the one before.
    const before = newest.current?.turn === turn ? newest.current.marking : now;
    const after = marking({ ...before, half }, event);
    newest.current = { turn, marking: after };
    redraw(after);
    if (after.marks !== before.marks) {
      dispatch({ type: "marks_put", marks: sentMarks(after.marks) });
    }
  };
  return { state: now, isOpen: state.marking !== null, isReady: half > 0, act };
}
