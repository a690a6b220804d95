/** Takes hold of a mark with a pointer: a tap selects it, a drag carries it along. */
import { useRef } from "preact/hooks";
import type { Mark } from "../lib/marks";
import type { Point, View } from "../lib/viewing";
import { pointOf } from "../viewer/Viewer";
import { onScreen, spotAt } from "./places";
import type { MarkWork } from "./useMarking";

/** A pointer that goes less far, in CSS pixels, taps; so the viewer says, too. */
export const TAP_REACH = 6;

interface Hold {
  pointer: number;
  from: Point;
  /** From the pointer to the middle of the mark. */
  off: Point;
  isFar: boolean;
}

export function useCarrying(mark: Mark, view: View, { act }: MarkWork) {
  const hold = useRef<Hold | null>(null);
  const letGo = () => {
    hold.current = null;
    act({ do: "let_go" });
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      const from = pointOf(event);
      const center = onScreen(view, mark);
      const off = { x: center.x - from.x, y: center.y - from.y };
      hold.current = { pointer: event.pointerId, from, off, isFar: false };
      act({ do: "select", id: mark.id });
    },
    onPointerMove: (event: PointerEvent) => {
      const held = hold.current;
      if (held?.pointer !== event.pointerId) return;
      const now = pointOf(event);
      held.isFar ||= Math.hypot(now.x - held.from.x, now.y - held.from.y) > TAP_REACH;
      if (!held.isFar) return;
      const to = spotAt(view, { x: now.x + held.off.x, y: now.y + held.off.y });
      act({ do: "carry", id: mark.id, to });
    },
    onPointerUp: letGo,
    onPointerCancel: letGo,
  };
}
