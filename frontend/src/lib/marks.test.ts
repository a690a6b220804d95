import { describe, expect, test } from "vitest";
import {
  beginMarking,
  edgesOf,
  type MarkEvent,
  type Marking,
  marking,
  marksFrom,
  sentMarks,
} from "./marks";
import { placeOf } from "./markWords";
import type { Role } from "./tree";

const ROLES: Role[] = [
  { key: "component", label: "Component", shape: "box", most: 2 },
  { key: "host", label: "Host", shape: "point", most: 1 },
  { key: "knot", label: "Knot", shape: "point", most: 3 },
];

function after(...events: MarkEvent[]): Marking {
  return events.reduce(marking, beginMarking(ROLES, 50));
}

const HOST: MarkEvent = { do: "choose", role: "host" };
const KNOT: MarkEvent = { do: "choose", role: "knot" };
const BOX: MarkEvent = { do: "draw", from: { x: -20, y: 10 }, to: { x: 0, y: -6 } };

function put(x: number, y: number): MarkEvent {
  return { do: "put", at: { x, y } };
}

function places(state: Marking): [number, number][] {
  return state.marks.map(({ x, y }) => [x, y]);
}

describe("points", () => {
  test("lie where they are put and are said aloud", () => {
    const state = after(KNOT, put(12, 3), put(-4.25, -30));
    expect(places(state)).toEqual([
      [12, 3],
      [-4.25, -30],
    ]);
    expect(state.said).toBe("Knot 2, 4.3 arcsec left, 30 down");
  });

  test("stay inside the picture", () => {
    expect(places(after(KNOT, put(70, -51)))).toEqual([[50, -50]]);
  });

  test("of a role with one mark move there", () => {
    const state = after(HOST, put(1, 1), put(5, 0));
    expect(places(state)).toEqual([[5, 0]]);
    expect(state.said).toBe("Host, 5 arcsec right");
    expect(places(marking(state, { do: "undo" }))).toEqual([[1, 1]]);
  });

  test("are no more than their role may have", () => {
    const state = after(KNOT, put(1, 0), put(2, 0), put(3, 0), put(4, 0));
    expect(state.marks).toHaveLength(3);
    expect(state.said).toBe("There are 3 marks of Knot already. Delete one first.");
  });
});

describe("boxes", () => {
  test("are drawn from any corner to the one across", () => {
    const [box] = after(BOX).marks;
    expect(box).toMatchObject({ x: -10, y: 2, width: 20, height: 16, role: "component" });
    expect(box && edgesOf(box)).toEqual({ left: -20, right: 0, bottom: -6, top: 10 });
  });

  test("are put down by two corners", () => {
    const first = after(put(0, -6));
    expect(first.marks).toHaveLength(0);
    expect(first.said).toBe("First corner 6 arcsec down. Now the corner across.");
    const second = marking(first, put(-20, 10));
    expect(second.marks[0]).toMatchObject({ x: -10, y: 2, width: 20, height: 16 });
    expect(second.corner).toBeNull();
    expect(second.said).toBe("Component 1, 10 arcsec left, 2 up, 20 wide and 16 high");
  });

  test("need a width and a height", () => {
    const state = after(put(0, 0), put(0.5, 20));
    expect(state.marks).toHaveLength(0);
    expect(state.corner).toEqual({ x: 0, y: 0 });
    expect(state.said).toContain("too small");
  });

  test("are not drawn for a role of points", () => {
    expect(after(HOST, BOX).marks).toHaveLength(0);
  });

  test("end inside the picture", () => {
    const [box] = after({ do: "draw", from: { x: 40, y: 40 }, to: { x: 80, y: 70 } }).marks;
    expect(box).toMatchObject({ x: 45, y: 45, width: 10, height: 10 });
  });
});

describe("changes", () => {
  test("a carried mark stays inside with all of its box", () => {
    const state = marking(after(BOX), { do: "carry", id: 1, to: { x: 49, y: -60 } });
    expect(places(state)).toEqual([[40, -42]]);
    expect(state.selected).toBe(1);
  });

  test("one undo takes the whole way back", () => {
    const carried = after(
      BOX,
      { do: "carry", id: 1, to: { x: 1, y: 0 } },
      { do: "carry", id: 1, to: { x: 2, y: 0 } },
    );
    expect(places(marking(carried, { do: "undo" }))).toEqual([[-10, 2]]);
    const again = [{ do: "let_go" }, { do: "carry", id: 1, to: { x: 3, y: 0 } }, { do: "undo" }];
    expect(places((again as MarkEvent[]).reduce(marking, carried))).toEqual([[2, 0]]);
  });

  test("a deleted mark comes back with undo", () => {
    const gone = marking(after(BOX, HOST, put(0, 0)), { do: "delete", id: 1 });
    expect(gone.marks.map(({ role }) => role)).toEqual(["host"]);
    expect(gone.said).toBe("Component 1 deleted.");
    expect(marking(gone, { do: "undo" }).marks).toHaveLength(2);
  });

  test("undo forgets a first corner before it takes back a mark", () => {
    const state = marking(after(BOX, put(0, 0)), { do: "undo" });
    expect(state.corner).toBeNull();
    expect(state.marks).toHaveLength(1);
    expect(marking(state, { do: "undo" }).said).toBe("No marks");
  });

  test("undo without a change and unknown marks change nothing", () => {
    const state = after();
    expect(marking(state, { do: "undo" })).toEqual(state);
    expect(marking(state, { do: "delete", id: 7 })).toEqual(state);
    expect(marking(state, { do: "carry", id: 7, to: { x: 0, y: 0 } })).toEqual(state);
    expect(marking(state, { do: "choose", role: "jet" })).toEqual(state);
  });

  test("a new mark never has the name of one that undo may bring back", () => {
    const state = after(KNOT, put(1, 0), { do: "delete", id: 1 }, put(2, 0));
    expect(state.marks.map(({ id }) => id)).toEqual([2]);
  });

  test("choosing another role or dismissing forgets the first corner", () => {
    expect(after(put(0, 0), HOST).corner).toBeNull();
    expect(after(put(0, 0), { do: "dismiss" }).corner).toBeNull();
    expect(after(BOX, { do: "select", id: 1 }, { do: "dismiss" }).selected).toBeNull();
  });
});

test("a vote carries boxes with their size and points without", () => {
  expect(sentMarks(after(BOX, HOST, put(1.23456, -2)).marks)).toEqual([
    {
      role: "component",
      shape: "box",
      x_arcsec: -10,
      y_arcsec: 2,
      width_arcsec: 20,
      height_arcsec: 16,
    },
    { role: "host", shape: "point", x_arcsec: 1.235, y_arcsec: -2 },
  ]);
});

test("kept marks are gone on with, under names of their own", () => {
  const { marks } = after(BOX, HOST, put(1, -2));
  const again = beginMarking(ROLES, 50, marksFrom(sentMarks(marks)));
  expect(sentMarks(again.marks)).toEqual(sentMarks(marks));
  expect(marking(again, { do: "delete", id: 2 }).marks).toHaveLength(1);
});

test.each([
  [{ x: 0, y: 0 }, "in the middle"],
  [{ x: 0.04, y: -0.04 }, "in the middle"],
  [{ x: 12.3, y: 0 }, "12 arcsec right"],
  [{ x: -1.25, y: 0 }, "1.3 arcsec left"],
  [{ x: 0, y: 2 }, "2 arcsec up"],
  [{ x: 0, y: -2 }, "2 arcsec down"],
  [{ x: 12, y: 3 }, "12 arcsec right, 3 up"],
  [{ x: 12, y: -3 }, "12 arcsec right, 3 down"],
  [{ x: -9.97, y: 3 }, "10 arcsec left, 3 up"],
  [{ x: -12, y: -3 }, "12 arcsec left, 3 down"],
])("%o is said as %s", (spot, words) => {
  expect(placeOf(spot)).toBe(words);
});
