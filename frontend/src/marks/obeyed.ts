/** Does what a key asks for while places are marked; tells whether there was anything to do. */
import type { MarkCommand } from "../lib/markKeys";
import type { Mark } from "../lib/marks";
import { dragged, type Point, type View } from "../lib/viewing";
import type { Viewing } from "../viewer/useViewing";
import { onScreen, spotAt } from "./places";
import type { MarkWork } from "./useMarking";

export interface Field {
  view: View;
  viewing: Viewing;
  work: MarkWork;
  /** Takes the focus from buttons, so that Enter marks. */
  focus: () => void;
  onDone: () => void;
}

/** The crosshair stays so far from the edge of the frame; the picture moves instead. */
const MARGIN = 24;

export function obeyed(command: MarkCommand, field: Field): boolean {
  const { state, act } = field.work;
  const selected = state.marks.find(({ id }) => id === state.selected);
  switch (command.do) {
    case "choose": {
      const role = state.roles[command.index];
      if (role) act({ do: "choose", role: role.key });
      return role !== undefined;
    }
    case "move":
      field.focus();
      move(command.by, selected, field);
      return true;
    case "put":
      act(selected ? { do: "dismiss" } : { do: "put", at: state.at });
      return true;
    case "next":
      act({ do: "select", id: following(state.marks, state.selected) });
      return true;
    case "delete":
      if (selected) act({ do: "delete", id: selected.id });
      return true;
    case "undo":
      act({ do: "undo" });
      return true;
    case "dismiss":
      if (state.selected === null && !state.corner) return false;
      act({ do: "dismiss" });
      return true;
    case "done":
      field.onDone();
      return true;
  }
}

/** Move the selected mark, or else the crosshair; the picture follows out of the frame. */
function move(by: Point, selected: Mark | undefined, { view, viewing, work }: Field): void {
  const from = onScreen(view, selected ?? work.state.at);
  const to = { x: from.x + by.x, y: from.y + by.y };
  const spot = spotAt(view, to);
  work.act(selected ? { do: "carry", id: selected.id, to: spot } : { do: "point_to", at: spot });
  const right = beyond(to.x, view.width);
  const down = beyond(to.y, view.height);
  if (right || down) viewing.setPose((pose) => dragged(pose, view, -right, -down));
}

/** How far a place lies outside of the frame's middle part. */
function beyond(place: number, length: number): number {
  return place - Math.min(Math.max(place, MARGIN), length - MARGIN);
}

function following(marks: readonly Mark[], selected: number | null): number | null {
  const place = marks.findIndex(({ id }) => id === selected);
  return marks[(place + 1) % marks.length]?.id ?? null;
}
