/**
 * Marks over a picture, and while places are marked a crosshair: by mouse, pen, finger or keyboard.
 *
 * It draws in points of the screen, so lines and words stay as they are under zoom and rotation.
 */
import { useState } from "preact/hooks";
import { edgesOf, type Mark } from "../lib/marks";
import { describe, nameOf } from "../lib/markWords";
import type { Point } from "../lib/viewing";
import type { Hearing } from "../viewer/useViewing";
import { pointOf } from "../viewer/Viewer";
import { type Field, obeyed } from "./obeyed";
import { boxBetween, onScreen, outlineOf, spotAt } from "./places";
import { TAP_REACH, useCarrying } from "./useCarrying";
import { useMarkKeys } from "./useMarkKeys";

interface Props {
  field: Field;
  hearing: Hearing;
}

const POINT_RADIUS = 9;
/** What a finger hits. */
const GRIP_RADIUS = 22;
const CROSSHAIR = { gap: 5, arm: 22 };

export function MarkOverlay({ field, hearing }: Props) {
  const { state, isOpen } = field.work;
  useMarkKeys(hearing, isOpen, (command) => obeyed(command, field));
  const wantsBox = state.roles.find(({ key }) => key === state.role)?.shape === "box";
  return (
    <>
      {isOpen && wantsBox && <Drawing field={field} />}
      {state.marks.map((mark) => (
        <Drawn key={mark.id} mark={mark} field={field} />
      ))}
      {isOpen && <Crosshair at={onScreen(field.view, state.at)} />}
    </>
  );
}

function Drawn({ mark, field: { view, work } }: { mark: Mark; field: Field }) {
  const { state, isOpen } = work;
  const carrying = useCarrying(mark, view, work);
  const number = 1 + state.roles.findIndex(({ key }) => key === mark.role);
  const isSelected = isOpen && state.selected === mark.id;
  const { x, y } = onScreen(view, mark);
  const outline = mark.shape === "box" ? outlineOf(view, mark) : null;
  const { left, top } = edgesOf(mark);
  const corner = onScreen(view, { x: left, y: top });
  const label = outline ? { x: corner.x, y: corner.y - 6 } : { x: x + 14, y: y - 10 };
  return (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: marks are pictures with names.
    <g
      class={`spot spot--${number} mark${isSelected ? " mark--selected" : ""}`}
      role="img"
      aria-label={describe(state.roles, state.marks, mark)}
    >
      {outline ? (
        <polygon points={outline} />
      ) : (
        <>
          <circle cx={x} cy={y} r={POINT_RADIUS} />
          <circle class="mark__middle" cx={x} cy={y} r="1.5" />
        </>
      )}
      <text {...label}>{nameOf(state.roles, state.marks, mark)}</text>
      {isOpen && outline && (
        <polygon class="viewer__catch mark__grip" points={outline} {...carrying} />
      )}
      {isOpen && !outline && (
        <circle
          class="viewer__catch mark__grip mark__grip--point"
          cx={x}
          cy={y}
          r={GRIP_RADIUS}
          {...carrying}
        />
      )}
    </g>
  );
}

interface Drag {
  pointer: number;
  from: Point;
  to: Point;
}

/** Catches what draws a box: one drag, or two taps. */
function Drawing({ field: { view, work } }: { field: Field }) {
  const { state, act } = work;
  const [drag, setDrag] = useState<Drag | null>(null);
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    // A second finger zooms, so the first has not drawn.
    if (drag) return setDrag(null);
    // The viewer would take the mouse; fingers may become two, and those are its business.
    if (event.pointerType === "mouse") {
      event.stopPropagation();
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
    }
    const from = pointOf(event);
    setDrag({ pointer: event.pointerId, from, to: from });
  };
  const move = (event: PointerEvent) => {
    if (drag?.pointer === event.pointerId) setDrag({ ...drag, to: pointOf(event) });
  };
  const up = (event: PointerEvent) => {
    if (drag?.pointer !== event.pointerId) return;
    setDrag(null);
    const to = pointOf(event);
    const isTap = Math.hypot(to.x - drag.from.x, to.y - drag.from.y) <= TAP_REACH;
    if (isTap) act({ do: "put", at: spotAt(view, to) });
    else act({ do: "draw", from: spotAt(view, drag.from), to: spotAt(view, to) });
  };
  const from = drag ? spotAt(view, drag.from) : state.corner;
  const to = drag ? spotAt(view, drag.to) : state.at;
  return (
    <>
      <rect
        class="viewer__catch mark__paper"
        width={view.width}
        height={view.height}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={() => setDrag(null)}
      />
      {from && <polygon class="mark__preview" points={outlineOf(view, boxBetween(from, to))} />}
    </>
  );
}

function Crosshair({ at: { x, y } }: { at: Point }) {
  const { gap, arm } = CROSSHAIR;
  const across = `M${x - arm} ${y}H${x - gap}M${x + gap} ${y}H${x + arm}`;
  const upright = `M${x} ${y - arm}V${y - gap}M${x} ${y + gap}V${y + arm}`;
  return (
    <g class="mark__crosshair" aria-hidden="true">
      <path class="mark__halo" d={across + upright} />
      <path d={across + upright} />
    </g>
  );
}
