/** What a key press means on the page on which volunteers answer. */

export type Command =
  | { do: "answer"; index: number }
  | { do: "move"; by: 1 | -1 }
  | { do: "back" }
  | { do: "help" };

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat">;

/** None for keys that are the browser's or the page's own business. */
export function commandOf(press: Press): Command | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  if (press.key === "ArrowDown" || press.key === "ArrowRight") return { do: "move", by: 1 };
  if (press.key === "ArrowUp" || press.key === "ArrowLeft") return { do: "move", by: -1 };
  if (press.repeat) return null;
  if (/^[1-9]$/.test(press.key)) return { do: "answer", index: Number(press.key) - 1 };
  if (press.key === "Backspace") return { do: "back" };
  if (press.key === "?") return { do: "help" };
  return null;
}

/** The place that an arrow key leads to among `count`; from nowhere (-1) to the first or last. */
export function moved(place: number, by: 1 | -1, count: number): number {
  if (place < 0) return by > 0 ? 0 : count - 1;
  return (place + by + count) % count;
}
