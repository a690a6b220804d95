/** What a key press means while places are marked in a picture. */
import type { Point } from "./viewing";

export type MarkCommand =
  | { do: "choose"; index: number }
  /** As far as the arrow goes, in CSS pixels of the screen, y down. */
  | { do: "move"; by: Point }
  | { do: "put" | "next" | "delete" | "undo" | "dismiss" | "done" };

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "repeat">;

/** Of the screen, so that steps are finer where the picture is larger. */
const STEP = 4;
const FAST_STEP = 32;

const ARROWS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** None of them is a key of the viewer or of the page, but p, which leads here and back. */
const KEYS: Record<string, "put" | "next" | "delete" | "undo" | "dismiss" | "done"> = {
  enter: "put",
  n: "next",
  delete: "delete",
  backspace: "delete",
  z: "undo",
  escape: "dismiss",
  p: "done",
};

export function markCommandOf(press: Press): MarkCommand | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  const arrow = ARROWS[press.key];
  if (arrow) {
    const step = press.shiftKey ? FAST_STEP : STEP;
    return { do: "move", by: { x: step * arrow.x, y: step * arrow.y } };
  }
  if (press.repeat) return null;
  if (/^[1-9]$/.test(press.key)) return { do: "choose", index: Number(press.key) - 1 };
  const what = KEYS[press.key.toLowerCase()];
  return what ? { do: what } : null;
}
