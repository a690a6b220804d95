/**
 * How a picture lies in its frame, and what keys do to it.
 *
 * Points of the image are in its pixels, counted from its center, x right and y up; points of the
 * frame are in CSS pixels, counted from its top left corner, y down.
 */

import { type Bands, bandChoices, bandsDrawn, type Look, USUAL_LOOK } from "./brightness";
import { COLORMAPS } from "./colormaps";
import { formatDecimal } from "./format";
import { STRETCHES } from "./stretch";

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** The point of the image in the middle of the frame, how large it is, and how it is turned. */
export interface Pose extends Point {
  zoom: number;
  /** Counter-clockwise. */
  rotation_rad: number;
}

export interface View {
  /** Of the frame, in CSS pixels. */
  width: number;
  height: number;
  image: Size;
  /** CSS pixels for one pixel of the image, and how many times that is of the whole image's. */
  magnification: number;
  zoom: number;
  rotation_rad: number;
  /** Edge of a pixel of the image; null if unknown. */
  scale_arcsec: number | null;
  toScreen: (point: Point) => Point;
  toImage: (point: Point) => Point;
}

export const START: Pose = { zoom: 1, x: 0, y: 0, rotation_rad: 0 };
export const SMALLEST_ZOOM = 0.5;
export const LARGEST_ZOOM = 32;
/** Two presses of a key double the size; six turn a picture by a right angle. */
export const ZOOM_STEP = Math.SQRT2;
export const TURN_STEP_RAD = Math.PI / 12;

// Poses ---------------------------------------------------------------------------------------
export function viewOf(
  pose: Pose,
  frame: Size,
  image: Size,
  scale_arcsec: number | null = null,
): View {
  const fit = Math.min(frame.width / image.width, frame.height / image.height);
  const magnification = fit * pose.zoom;
  const [cos, sin] = [Math.cos(pose.rotation_rad), Math.sin(pose.rotation_rad)];
  return {
    width: frame.width,
    height: frame.height,
    image: { width: image.width, height: image.height },
    magnification,
    zoom: pose.zoom,
    rotation_rad: pose.rotation_rad,
    scale_arcsec,
    toScreen: (point) => {
      const [x, y] = [point.x - pose.x, point.y - pose.y];
      return {
        x: frame.width / 2 + magnification * (cos * x - sin * y),
        y: frame.height / 2 - magnification * (sin * x + cos * y),
      };
    },
    toImage: (point) => {
      const x = (point.x - frame.width / 2) / magnification;
      const y = (frame.height / 2 - point.y) / magnification;
      return { x: pose.x + cos * x + sin * y, y: pose.y - sin * x + cos * y };
    },
  };
}

/** Larger or smaller; the point `at` of the image stays where it is in the frame. */
export function zoomed(pose: Pose, factor: number, image: Size, at: Point = pose): Pose {
  const zoom = Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, pose.zoom * factor));
  const share = pose.zoom / zoom;
  return within(image, {
    ...pose,
    zoom,
    x: at.x - (at.x - pose.x) * share,
    y: at.y - (at.y - pose.y) * share,
  });
}

/** Turned counter-clockwise; the point `at` of the image stays where it is in the frame. */
export function rotated(pose: Pose, by_rad: number, image: Size, at: Point = pose): Pose {
  const [cos, sin] = [Math.cos(by_rad), Math.sin(by_rad)];
  const [x, y] = [pose.x - at.x, pose.y - at.y];
  return within(image, {
    ...pose,
    rotation_rad: wrapped(pose.rotation_rad + by_rad),
    x: at.x + cos * x + sin * y,
    y: at.y - sin * x + cos * y,
  });
}

/** Moved along with a finger that goes so far, in CSS pixels to the right and down. */
export function dragged(pose: Pose, view: View, right: number, down: number): Pose {
  const from = view.toImage({ x: 0, y: 0 });
  const to = view.toImage({ x: right, y: down });
  return within(view.image, { ...pose, x: pose.x + from.x - to.x, y: pose.y + from.y - to.y });
}

/** No more of the frame stays empty than the size of the picture asks for. */
function within({ width, height }: Size, pose: Pose): Pose {
  const share = Math.max(0, 1 - 1 / pose.zoom) / 2;
  return {
    ...pose,
    x: Math.min(width * share, Math.max(-width * share, pose.x)),
    y: Math.min(height * share, Math.max(-height * share, pose.y)),
  };
}

/** From -pi to pi. */
function wrapped(angle_rad: number): number {
  return angle_rad - 2 * Math.PI * Math.round(angle_rad / (2 * Math.PI));
}

// Keys ----------------------------------------------------------------------------------------
export type ViewCommand =
  | { do: "zoom"; factor: number }
  | { do: "rotate"; by_rad: number }
  | { do: "pan"; right: number; down: number }
  | { do: "band"; by: 1 | -1 }
  | { do: "invert" | "stretch" | "open" | "reset" };

type Press = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

const COMMANDS: Record<string, ViewCommand> = {
  "+": { do: "zoom", factor: ZOOM_STEP },
  "=": { do: "zoom", factor: ZOOM_STEP },
  "-": { do: "zoom", factor: 1 / ZOOM_STEP },
  "[": { do: "rotate", by_rad: TURN_STEP_RAD },
  "]": { do: "rotate", by_rad: -TURN_STEP_RAD },
  ",": { do: "band", by: -1 },
  ".": { do: "band", by: 1 },
  i: { do: "invert" },
  s: { do: "stretch" },
  v: { do: "open" },
  "0": { do: "reset" },
};

/** Shift and an arrow look further to where the arrow points, by a tenth of the frame. */
const PANS: Record<string, ViewCommand> = {
  ArrowLeft: { do: "pan", right: 0.1, down: 0 },
  ArrowRight: { do: "pan", right: -0.1, down: 0 },
  ArrowUp: { do: "pan", right: 0, down: 0.1 },
  ArrowDown: { do: "pan", right: 0, down: -0.1 },
};

export function viewCommandOf(press: Press): ViewCommand | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  return (
    (press.shiftKey ? PANS[press.key] : undefined) ?? COMMANDS[press.key.toLowerCase()] ?? null
  );
}

// Looks ---------------------------------------------------------------------------------------
/** The next of a list, round and round. */
export function following<Choice>(choices: readonly Choice[], now: Choice, by: 1 | -1 = 1): Choice {
  const place = choices.indexOf(now) + by + choices.length;
  return choices[place % choices.length] ?? now;
}

export function nextBands(bands: Bands, n_bands: number, by: 1 | -1): Bands {
  return following(bandChoices(n_bands), bandsDrawn(bands, n_bands), by);
}

/** A look that was kept; whatever in it cannot be is as usual. */
export function lookFrom(kept: string | null): Look {
  let read: Partial<Record<keyof Look, unknown>>;
  try {
    read = Object(JSON.parse(kept ?? "{}"));
  } catch {
    return USUAL_LOOK;
  }
  const { stretch, colormap, floor_sigma, ceiling, isInverted, bands } = { ...USUAL_LOOK, ...read };
  return {
    stretch: STRETCHES.find((known) => known === stretch) ?? USUAL_LOOK.stretch,
    colormap: COLORMAPS.find((known) => known === colormap) ?? USUAL_LOOK.colormap,
    floor_sigma: isNumber(floor_sigma) ? floor_sigma : USUAL_LOOK.floor_sigma,
    ceiling: isNumber(ceiling) && ceiling > 0 ? ceiling : USUAL_LOOK.ceiling,
    isInverted: isInverted === true,
    bands: bands === "mean" || bands === "color" || isNumber(bands) ? bands : USUAL_LOOK.bands,
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

// Sizes on the sky ------------------------------------------------------------------------------
const LENGTHS_ARCSEC = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000,
];

export interface ScaleBar {
  arcsec: number;
  /** Of the screen. */
  length: number;
}

/** A round length on the sky that takes at most a third of the frame; null if it is unknown. */
export function scaleBarOf(view: View): ScaleBar | null {
  if (!view.scale_arcsec) return null;
  const perArcsec = view.magnification / view.scale_arcsec;
  const arcsec = LENGTHS_ARCSEC.findLast((length) => length * perArcsec <= view.width / 3);
  return arcsec === undefined ? null : { arcsec, length: arcsec * perArcsec };
}

/** 12″, 3′ or 2°. */
export function angleWords(arcsec: number): string {
  if (arcsec >= 3600) return `${formatDecimal(arcsec / 3600)}°`;
  return arcsec >= 60 ? `${formatDecimal(arcsec / 60)}′` : `${formatDecimal(arcsec)}″`;
}

/** A value with four figures. */
export function valueWords(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(3);
}
