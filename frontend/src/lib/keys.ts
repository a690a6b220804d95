/** What a key press means on the page on which volunteers answer. */
import { type Direction, TICK_KEYS } from "./grid";

export type PageCommand =
  | "help"
  | "dismiss"
  | "change"
  | "skip"
  | "favourite"
  | "share"
  | "remarks"
  | "where"
  | "guide";

export type Command =
  | { do: "answer"; index: number }
  | { do: "move"; by: 1 | -1 }
  | { do: "back" | "mark" };

export type GridCommand =
  | { do: "tick"; place: number }
  | { do: "move"; to: Direction }
  | { do: "send" | "too_mixed" | "undo" | "clear" };

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "repeat">;

/** None of them is a digit, a letter from a to g, or a key of the viewer (+ - [ ] i s v 0). */
export const PAGE_KEYS: Record<Exclude<PageCommand, "dismiss">, string> = {
  help: "?",
  change: "u",
  skip: "k",
  favourite: "h",
  share: "l",
  remarks: "t",
  where: "w",
  guide: "j",
};

const DIRECTIONS: Record<string, Direction> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

const GRID_KEYS: Record<string, "send" | "too_mixed" | "undo" | "clear"> = {
  enter: "send",
  m: "too_mixed",
  z: "undo",
  backspace: "undo",
  x: "clear",
};

/** For the page, whatever it shows. */
export function pageCommandOf(press: Press): PageCommand | null {
  if (isShortcut(press) || press.repeat) return null;
  if (press.key === "Escape") return "dismiss";
  const key = press.key.toLowerCase();
  const names = Object.keys(PAGE_KEYS) as (keyof typeof PAGE_KEYS)[];
  return names.find((name) => PAGE_KEYS[name] === key) ?? null;
}

/** For a question; none for keys that are the browser's or the page's own business. */
export function commandOf(press: Press): Command | null {
  if (isShortcut(press)) return null;
  const direction = press.shiftKey ? undefined : DIRECTIONS[press.key];
  if (direction) {
    return { do: "move", by: direction === "down" || direction === "right" ? 1 : -1 };
  }
  if (press.repeat) return null;
  if (/^[1-9]$/.test(press.key)) return { do: "answer", index: Number(press.key) - 1 };
  if (press.key.toLowerCase() === "p") return { do: "mark" };
  return press.key === "Backspace" ? { do: "back" } : null;
}

/** For a grid: its members have digits and letters, so what else it knows has other letters. */
export function gridCommandOf(press: Press): GridCommand | null {
  if (isShortcut(press)) return null;
  const direction = press.shiftKey ? undefined : DIRECTIONS[press.key];
  if (direction) return { do: "move", to: direction };
  if (press.repeat) return null;
  const key = press.key.toLowerCase();
  if (key.length === 1 && TICK_KEYS.includes(key)) {
    return { do: "tick", place: TICK_KEYS.indexOf(key) };
  }
  const what = GRID_KEYS[key];
  return what ? { do: what } : null;
}

/** Digits, letters and signs: what speech input may press by mistake, so they can be switched off. */
export function isCharacter(press: Press): boolean {
  return press.key.length === 1 && press.key !== " ";
}

/** Whether a key belongs to what it is pressed in: a field to write in, a slider, a list of choices. */
export function isForAField(press: Pick<KeyboardEvent, "key" | "target">): boolean {
  const { target } = press;
  if (press.key === "Escape" || !(target instanceof Element)) return false;
  return target.matches("input:not([type=checkbox], [type=radio]), textarea, select");
}

function isShortcut(press: Press): boolean {
  return press.ctrlKey || press.metaKey || press.altKey;
}

/** The place that an arrow key leads to among `count`; from nowhere (-1) to the first or last. */
export function moved(place: number, by: 1 | -1, count: number): number {
  if (place < 0) return by > 0 ? 0 : count - 1;
  return (place + by + count) % count;
}
