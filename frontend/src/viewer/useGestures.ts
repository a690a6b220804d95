/**
 * Wheel, mouse, pen and fingers on a picture: the wheel and two fingers zoom, one drags, two fingers
 * or a drag with shift turn, a double tap puts it back.
 *
 * One finger drags only what is zoomed: on a whole picture it scrolls the page.
 */
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import {
  dragged,
  type Point,
  type Pose,
  rotated,
  START,
  type View,
  viewOf,
  zoomed,
} from "../lib/viewing";
import type { Viewing } from "./useViewing";

interface Options {
  isActive: boolean;
  /** One pointer draws over the picture, so it does not drag; two still zoom and turn. */
  isStill: boolean;
  onTap?: ((point: Point) => void) | undefined;
}

interface State extends Options {
  view: View | null;
  viewing: Viewing;
}

/** Of the wheel, for twice the size. */
const WHEEL_PIXELS = 300;
/** A pointer that goes less far, in CSS pixels, taps. */
const TAP_REACH = 6;
const DOUBLE_TAP_MS = 350;

export function useGestures(
  frame: RefObject<HTMLElement | null>,
  view: View | null,
  viewing: Viewing,
  options: Options,
): void {
  const newest = useRef<State>({ ...options, view, viewing });
  newest.current = { ...options, view, viewing };
  const { isActive } = options;
  useEffect(() => {
    const element = frame.current;
    if (element && isActive) return listen(element, newest);
  }, [frame, isActive]);
}

function listen(frame: HTMLElement, newest: { current: State }): () => void {
  const fingers = new Map<number, Point>();
  let reach = 0;
  let tappedAt = Number.NEGATIVE_INFINITY;
  const change = (alter: (pose: Pose, view: View) => Pose) => {
    const { view, viewing } = newest.current;
    if (!view) return;
    // Several events may come before the page is drawn again: each goes on from the one before.
    viewing.setPose((pose) => alter(pose, viewOf(pose, view, view.image, view.scale_arcsec)));
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const factor = 2 ** (-event.deltaY / WHEEL_PIXELS);
    const point = pointIn(frame, event);
    change((pose, view) => zoomed(pose, factor, view.image, view.toImage(point)));
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    if (!fingers.size) reach = 0;
    fingers.set(event.pointerId, pointIn(frame, event));
    if (event.pointerType === "mouse") frame.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = pointIn(frame, event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    reach += distance(before, now);
    if (other) change((pose, view) => pinched(pose, view, other, before, now));
    else if (event.shiftKey) change((pose, view) => turned(pose, view, before, now));
    else if (reach > TAP_REACH && !newest.current.isStill) {
      change((pose, view) => dragged(pose, view, now.x - before.x, now.y - before.y));
    }
  };
  const up = (event: PointerEvent) => {
    const isLast = fingers.delete(event.pointerId) && !fingers.size;
    if (isLast && event.type === "pointerup" && reach <= TAP_REACH) tap(event);
  };
  const tap = (event: PointerEvent) => {
    const { view, viewing, onTap } = newest.current;
    if (onTap) {
      if (view) onTap(view.toImage(pointIn(frame, event)));
    } else if (event.timeStamp - tappedAt < DOUBLE_TAP_MS) viewing.setPose(() => START);
    tappedAt = event.timeStamp;
  };
  frame.addEventListener("wheel", wheel, { passive: false });
  frame.addEventListener("pointerdown", down);
  frame.addEventListener("pointermove", move);
  frame.addEventListener("pointerup", up);
  frame.addEventListener("pointercancel", up);
  return () => {
    frame.removeEventListener("wheel", wheel);
    frame.removeEventListener("pointerdown", down);
    frame.removeEventListener("pointermove", move);
    frame.removeEventListener("pointerup", up);
    frame.removeEventListener("pointercancel", up);
  };
}

/** One of two fingers has moved, the other rests: the picture follows both. */
function pinched(pose: Pose, view: View, resting: Point, before: Point, now: Point): Pose {
  const factor = distance(resting, now) / Math.max(1, distance(resting, before));
  const at = view.toImage(resting);
  const by_rad = angle(resting, before) - angle(resting, now);
  return rotated(zoomed(pose, factor, view.image, at), by_rad, view.image, at);
}

/** Turned about the middle of the frame as far as the pointer went round it. */
function turned(pose: Pose, view: View, before: Point, now: Point): Pose {
  const middle = { x: view.width / 2, y: view.height / 2 };
  return rotated(pose, angle(middle, before) - angle(middle, now), view.image);
}

function pointIn(frame: HTMLElement, event: MouseEvent): Point {
  const { left, top } = frame.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function angle(from: Point, to: Point): number {
  return Math.atan2(to.y - from.y, to.x - from.x);
}
