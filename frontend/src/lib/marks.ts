/**
 * What happens while a volunteer marks a picture, without a page: `marking(state, event)`.
 *
 * Positions are in arcsec from the picture's center, x to the right and y up, in the frame in which
 * the picture is stored: zoom and rotation of the view change nothing here.
 */
import type { components } from "../api/schema";
import {
  cornerAt,
  countOf,
  describe,
  isGone,
  isTaken,
  nameOf,
  placeOf,
  tooMany,
  tooSmall,
} from "./markWords";
import type { Role } from "./tree";

export interface Spot {
  x: number;
  y: number;
}

/** One mark; a point has no size. `id` counts up and tells marks of one picture apart. */
export interface Mark extends Spot {
  id: number;
  role: string;
  shape: Role["shape"];
  width: number;
  height: number;
}

/** As the API takes it. */
export type SentMark = components["schemas"]["MarkRequest"];

export interface Marking {
  roles: readonly Role[];
  /** Half the side of the picture in arcsec. */
  half: number;
  /** Key of the role that the next mark gets. */
  role: string;
  marks: readonly Mark[];
  before: readonly (readonly Mark[])[];
  /** Where the crosshair is. */
  at: Spot;
  /** The first corner of a box that waits for the second. */
  corner: Spot | null;
  selected: number | null;
  /** The mark that is being moved, so that one undo takes the whole way back. */
  carried: number | null;
  /** For screen readers. */
  said: string;
}

export type MarkEvent =
  | { do: "choose"; role: string }
  | { do: "point_to"; at: Spot }
  | { do: "put"; at: Spot }
  | { do: "draw"; from: Spot; to: Spot }
  | { do: "select"; id: number | null }
  | { do: "carry"; id: number; to: Spot }
  | { do: "let_go" }
  | { do: "delete"; id: number }
  | { do: "undo" }
  | { do: "dismiss" };

/** Boxes have at least this share of the picture's side: less is a shaking hand. */
const SMALLEST_BOX = 0.01;

/** Thousandths of an arcsec are sent: far finer than any pixel. */
const SENT_DIGITS = 3;

export function beginMarking(
  roles: readonly Role[],
  half: number,
  marks: readonly Mark[] = [],
): Marking {
  return {
    roles,
    half,
    role: roles[0]?.key ?? "",
    marks,
    before: [],
    at: { x: 0, y: 0 },
    corner: null,
    selected: null,
    carried: null,
    said: "",
  };
}

export function marking(state: Marking, event: MarkEvent): Marking {
  switch (event.do) {
    case "choose":
      return chosen(state, event.role);
    case "point_to":
      return pointed(state, event.at);
    case "put":
      return putDown(state, held(event.at, state.half));
    case "draw":
      return drawn(state, held(event.from, state.half), held(event.to, state.half));
    case "select":
      return selected(state, event.id);
    case "carry":
      return carried(state, event.id, event.to);
    case "let_go":
      return { ...state, carried: null };
    case "delete":
      return deleted(state, event.id);
    case "undo":
      return undone(state);
    case "dismiss":
      return { ...state, corner: null, selected: null, carried: null };
  }
}

export function roleOf(state: Marking, key: string): Role | undefined {
  return state.roles.find((role) => role.key === key);
}

/** The four edges of a box; a point has none and all four are its place. */
export function edgesOf(mark: Pick<Mark, "x" | "y" | "width" | "height">): {
  left: number;
  right: number;
  bottom: number;
  top: number;
} {
  return {
    left: mark.x - mark.width / 2,
    right: mark.x + mark.width / 2,
    bottom: mark.y - mark.height / 2,
    top: mark.y + mark.height / 2,
  };
}

/** The marks as a vote carries them. */
export function sentMarks(marks: readonly Mark[]): SentMark[] {
  return marks.map(({ role, shape, x, y, width, height }) => {
    const at = { role, shape, x_arcsec: rounded(x), y_arcsec: rounded(y) };
    if (shape === "point") return at;
    return { ...at, width_arcsec: rounded(width), height_arcsec: rounded(height) };
  });
}

/** Marks that were sent or kept, to go on with. */
export function marksFrom(sent: readonly SentMark[]): Mark[] {
  return sent.map((mark, place) => ({
    id: place + 1,
    role: mark.role,
    shape: mark.shape,
    x: mark.x_arcsec,
    y: mark.y_arcsec,
    width: mark.width_arcsec ?? 0,
    height: mark.height_arcsec ?? 0,
  }));
}

// Events --------------------------------------------------------------------------------------
function chosen(state: Marking, key: string): Marking {
  const role = roleOf(state, key);
  return role ? { ...state, role: key, corner: null, said: isTaken(role) } : state;
}

function pointed(state: Marking, to: Spot): Marking {
  const at = held(to, state.half);
  return { ...state, at, carried: null, said: placeOf(at) };
}

/** A point where it is wanted; of a box one corner, and the box with the other. */
function putDown(state: Marking, at: Spot): Marking {
  const role = roleOf(state, state.role);
  if (!role) return state;
  if (role.shape === "point") return added({ ...state, at }, role, { ...at, width: 0, height: 0 });
  if (state.corner) return drawn({ ...state, at }, state.corner, at);
  return { ...state, at, corner: at, selected: null, said: cornerAt(at) };
}

function drawn(state: Marking, from: Spot, to: Spot): Marking {
  const role = roleOf(state, state.role);
  if (role?.shape !== "box") return state;
  const width = Math.abs(to.x - from.x);
  const height = Math.abs(to.y - from.y);
  const least = SMALLEST_BOX * 2 * state.half;
  if (width < least || height < least) return { ...state, said: tooSmall() };
  const place = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2, width, height };
  return added({ ...state, corner: null }, role, place);
}

type Place = Pick<Mark, "x" | "y" | "width" | "height">;

/** The only mark of a role moves to the new place; of more, one must be taken away first. */
function added(state: Marking, role: Role, place: Place): Marking {
  const others = state.marks.filter((mark) => mark.role === role.key);
  if (others.length >= role.most && role.most > 1) return { ...state, said: tooMany(role) };
  const rest = role.most === 1 ? without(state.marks, others[0]?.id ?? null) : state.marks;
  const id = Math.max(0, ...[...state.marks, ...state.before.flat()].map((one) => one.id)) + 1;
  const mark: Mark = { id, role: role.key, shape: role.shape, ...place };
  const marks = [...rest, mark];
  return changed({ ...state, selected: null }, marks, describe(state.roles, marks, mark));
}

function selected(state: Marking, id: number | null): Marking {
  const mark = state.marks.find((one) => one.id === id);
  if (!mark) return { ...state, selected: null };
  const said = describe(state.roles, state.marks, mark);
  return { ...state, selected: mark.id, corner: null, carried: null, said };
}

/** Move a mark; all moves until it is let go are one change. */
function carried(state: Marking, id: number, to: Spot): Marking {
  const mark = state.marks.find((one) => one.id === id);
  if (!mark) return state;
  const room = { x: state.half - mark.width / 2, y: state.half - mark.height / 2 };
  const place = { x: limited(to.x, room.x), y: limited(to.y, room.y) };
  const marks = state.marks.map((one) => (one.id === id ? { ...one, ...place } : one));
  const before = state.carried === id ? state.before : [...state.before, state.marks];
  return { ...state, marks, before, selected: id, carried: id, said: placeOf(place) };
}

function deleted(state: Marking, id: number): Marking {
  const mark = state.marks.find((one) => one.id === id);
  if (!mark) return state;
  const said = isGone(nameOf(state.roles, state.marks, mark));
  return changed({ ...state, selected: null }, without(state.marks, id), said);
}

function undone(state: Marking): Marking {
  if (state.corner) return { ...state, corner: null };
  const marks = state.before.at(-1);
  if (!marks) return state;
  const isThere = marks.some(({ id }) => id === state.selected);
  return {
    ...state,
    marks,
    before: state.before.slice(0, -1),
    selected: isThere ? state.selected : null,
    carried: null,
    said: countOf(marks.length),
  };
}

function changed(state: Marking, marks: readonly Mark[], said: string): Marking {
  return { ...state, marks, before: [...state.before, state.marks], carried: null, said };
}

// Places --------------------------------------------------------------------------------------
function without(marks: readonly Mark[], id: number | null): readonly Mark[] {
  return marks.filter((mark) => mark.id !== id);
}

/** The nearest spot inside the picture. */
function held({ x, y }: Spot, half: number): Spot {
  return { x: limited(x, half), y: limited(y, half) };
}

function limited(value: number, room: number): number {
  return Math.min(Math.max(value, -room), room);
}

function rounded(value: number): number {
  return Number(value.toFixed(SENT_DIGITS));
}
