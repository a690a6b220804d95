import { describe, expect, test } from "vitest";
import { USUAL_LOOK } from "./brightness";
import {
  angleWords,
  dragged,
  following,
  LARGEST_ZOOM,
  lookFrom,
  nextBands,
  type Point,
  type Pose,
  rotated,
  START,
  scaleBarOf,
  valueWords,
  viewCommandOf,
  viewOf,
  zoomed,
} from "./viewing";

const FRAME = { width: 400, height: 300 };
const IMAGE = { width: 64, height: 32 };
const POSE: Pose = { zoom: 4, x: 6, y: -3, rotation_rad: 0.7 };

const near = (point: Point, { x, y }: Point) => {
  expect(point.x).toBeCloseTo(x, 9);
  expect(point.y).toBeCloseTo(y, 9);
};

describe("a view", () => {
  test("shows the whole image in the middle at first, with y up", () => {
    const view = viewOf(START, FRAME, IMAGE);
    expect(view.magnification).toBe(6.25);
    near(view.toScreen({ x: 0, y: 0 }), { x: 200, y: 150 });
    near(view.toScreen({ x: 32, y: 16 }), { x: 400, y: 50 });
  });

  test("turns counter-clockwise", () => {
    const view = viewOf({ ...START, rotation_rad: Math.PI / 2 }, FRAME, IMAGE);
    near(view.toScreen({ x: 8, y: 0 }), { x: 200, y: 100 });
    near(view.toScreen({ x: 0, y: 8 }), { x: 150, y: 150 });
  });

  test.each([START, POSE, { ...POSE, rotation_rad: -2.4 }])(
    "leads there and back at %o",
    (pose) => {
      const view = viewOf(pose, FRAME, IMAGE);
      for (const point of [
        { x: 0, y: 0 },
        { x: 12.5, y: -7 },
        { x: -31, y: 15 },
      ]) {
        near(view.toImage(view.toScreen(point)), point);
      }
    },
  );
});

describe("changing a pose", () => {
  const at = { x: 5, y: 2 };
  const seen = (pose: Pose) => viewOf(pose, FRAME, IMAGE).toScreen(at);

  test("zooming keeps the point under the pointer where it is", () => {
    const closer = zoomed(POSE, 1.5, IMAGE, at);
    expect(closer.zoom).toBe(6);
    near(seen(closer), seen(POSE));
  });

  test("turning keeps the point between the fingers where it is", () => {
    near(seen(rotated(POSE, 0.4, IMAGE, at)), seen(POSE));
  });

  test("turning round and round stays within half a turn", () => {
    const turned = Array.from({ length: 24 }).reduce<Pose>(
      (pose) => rotated(pose, Math.PI / 12, IMAGE),
      START,
    );
    expect(turned.rotation_rad).toBeCloseTo(0, 9);
    expect(rotated(START, 3.5, IMAGE).rotation_rad).toBeCloseTo(3.5 - 2 * Math.PI, 9);
  });

  test("dragging takes the picture along with the finger", () => {
    const view = viewOf(POSE, FRAME, IMAGE);
    const { x, y } = seen(POSE);
    near(seen(dragged(POSE, view, 20, -10)), { x: x + 20, y: y - 10 });
  });

  test("a whole picture stays in the middle, a zoomed one at its edges at the latest", () => {
    near(dragged(START, viewOf(START, FRAME, IMAGE), 50, 50), START);
    const pose = { ...START, zoom: 2 };
    const far = dragged(pose, viewOf(pose, FRAME, IMAGE), -9999, 9999);
    near(far, { x: 16, y: 8 });
  });

  test("zoom has ends", () => {
    expect(zoomed(START, 1e9, IMAGE).zoom).toBe(LARGEST_ZOOM);
    expect(zoomed(START, 1e-9, IMAGE).zoom).toBe(0.5);
  });

  test("zooming out centers the picture again", () => {
    expect(zoomed({ ...START, zoom: 2, x: 10, y: 5 }, 0.5, IMAGE)).toEqual(START);
  });
});

describe("keys", () => {
  const press = (key: string, pressed: object = {}) => ({
    key,
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...pressed,
  });

  test.each([
    ["+", { do: "zoom", factor: Math.SQRT2 }],
    ["=", { do: "zoom", factor: Math.SQRT2 }],
    ["-", { do: "zoom", factor: Math.SQRT1_2 }],
    ["[", { do: "rotate", by_rad: Math.PI / 12 }],
    ["i", { do: "invert" }],
    ["S", { do: "stretch" }],
    ["v", { do: "open" }],
    ["0", { do: "reset" }],
    [".", { do: "band", by: 1 }],
  ])("%s is a command", (key, command) => {
    const found = viewCommandOf(press(key));
    expect(found?.do).toBe(command.do);
    expect(JSON.stringify(found)?.slice(0, 30)).toBe(JSON.stringify(command).slice(0, 30));
  });

  test.each([..."123456789abcdefgmzx?", "Enter", " ", "Backspace", "ArrowUp"])(
    "%s is left to answers and grids",
    (key) => {
      expect(viewCommandOf(press(key))).toBeNull();
    },
  );

  test("shift and an arrow look further to where it points", () => {
    const command = viewCommandOf(press("ArrowRight", { shiftKey: true }));
    if (command?.do !== "pan") throw new Error("It pans.");
    const pose = { ...START, zoom: 4 };
    const view = viewOf(pose, { width: 1, height: 1 }, IMAGE);
    expect(dragged(pose, view, command.right, command.down).x).toBeGreaterThan(0);
  });

  test("shortcuts of the browser are left to it", () => {
    expect(viewCommandOf(press("+", { ctrlKey: true }))).toBeNull();
  });
});

describe("looks", () => {
  test("a kept look comes back", () => {
    const look = { ...USUAL_LOOK, stretch: "log", ceiling: 0.3, isInverted: true, bands: 1 };
    expect(lookFrom(JSON.stringify(look))).toEqual(look);
  });

  test.each([
    null,
    "",
    "no JSON",
    "null",
    "7",
    '{"stretch":"cubist","ceiling":-1,"floor_sigma":"x"}',
  ])("%s is as usual", (kept) => {
    expect(lookFrom(kept)).toEqual(USUAL_LOOK);
  });

  test("lists go round and round", () => {
    expect(following(["a", "b", "c"], "c")).toBe("a");
    expect(following(["a", "b", "c"], "a", -1)).toBe("c");
    expect(nextBands("usual", 2, 1)).toBe("color");
    expect(nextBands(1, 2, 1)).toBe("mean");
  });
});

describe("sizes", () => {
  test("a bar has a round length of at most a third of the frame", () => {
    const view = viewOf(START, { width: 640, height: 640 }, { width: 64, height: 64 }, 1.8);
    expect(scaleBarOf(view)).toEqual({ arcsec: 30, length: expect.closeTo(166.67, 1) });
    expect(scaleBarOf(viewOf(START, FRAME, IMAGE))).toBeNull();
  });

  test("angles and values are short", () => {
    expect([0.5, 30, 60, 300, 7200].map(angleWords)).toEqual(["0.5″", "30″", "1′", "5′", "2°"]);
    expect([0, 1.23456e-5, 0.0123456, 12345.6, 1e6].map(valueWords)).toEqual([
      "0",
      "1.235e-5",
      "0.01235",
      "12350",
      "1.000e+6",
    ]);
  });
});
