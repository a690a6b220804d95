/** From places in arcsec to points of the screen, and back. */
import { edgesOf, type Mark, type Spot } from "../lib/marks";
import type { Point, View } from "../lib/viewing";

type Place = Pick<Mark, "x" | "y" | "width" | "height">;

export function onScreen(view: View, { x, y }: Spot): Point {
  const scale = view.scale_arcsec ?? 1;
  return view.toScreen({ x: x / scale, y: y / scale });
}

export function spotAt(view: View, point: Point): Spot {
  const scale = view.scale_arcsec ?? 1;
  const { x, y } = view.toImage(point);
  return { x: x * scale, y: y * scale };
}

/** The corners of a box, from the lower left one of the picture on, for a polygon. */
export function outlineOf(view: View, place: Place): string {
  const { left, right, bottom, top } = edgesOf(place);
  const corners: Spot[] = [
    { x: left, y: bottom },
    { x: right, y: bottom },
    { x: right, y: top },
    { x: left, y: top },
  ];
  const points = corners.map((corner) => onScreen(view, corner));
  return points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
}

/** The box between two corners. */
export function boxBetween(from: Spot, to: Spot): Place {
  return {
    x: (from.x + to.x) / 2,
    y: (from.y + to.y) / 2,
    width: Math.abs(to.x - from.x),
    height: Math.abs(to.y - from.y),
  };
}
