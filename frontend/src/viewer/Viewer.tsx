/**
 * A picture from its real pixels, on a canvas; the server's picture until they are there.
 *
 * The pictures of one item share a `viewing` (see useViewing.ts): their look and their pose.
 *
 * What is to lie over a picture is a function of the view, drawn into an SVG of the frame's size:
 *
 *     <Viewer picture={item.main} viewing={viewing} isLarge onTap={(point) => …}>
 *       {(view) => <circle r="5" cx={view.toScreen(mark).x} cy={view.toScreen(mark).y} />}
 *     </Viewer>
 *
 * `view.toScreen` and `view.toImage` go from points of the image (in its pixels from the center, x
 * right, y up) to points of the frame (CSS pixels from the top left, y down) and back, whatever the
 * zoom, the rotation and the size of the frame; `view.scale_arcsec` times a point is its offset on
 * the sky in the picture's own frame. It is called again with every new view. `pointOf(event)` gives
 * the point of the frame where a mouse, pen or finger is. The SVG itself lets pointers through to
 * the picture, where they zoom, drag and turn; a shape of class `viewer__catch` catches them, and
 * should stop their events (`event.stopPropagation()` on pointerdown), so that the picture stays
 * where it is. `onTap` hears of a tap or click that was no drag, with its point of the image. There
 * is no overlay while the server's picture stands in, for nobody knows the size of its pixels.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { colored, type Look, type Pixels } from "../lib/brightness";
import type { Item } from "../lib/classifying";
import { type Point, type View, viewOf } from "../lib/viewing";
import { Readout } from "./Readout";
import { useFrame } from "./useFrame";
import { useGestures } from "./useGestures";
import { usePixels } from "./usePixels";
import type { Viewing } from "./useViewing";

/** What is told of a picture: where its pixels are, and what stands in for them. */
export type Picture = Pick<Item["main"], "url" | "alt" | "pixels_url" | "scale_arcsec">;

interface Props {
  picture: Picture;
  viewing: Viewing;
  /** The one to be looked at closely: wheel, fingers and mouse work on it, and it has a scale. */
  isLarge?: boolean;
  /** One pointer draws over the picture, so it does not drag it. */
  isStill?: boolean;
  /** A new number fetches again what did not arrive. */
  tries?: number;
  /** Told once, when the pixels or the server's picture are on the page. */
  onShown?: () => void;
  /** Told when neither could be fetched. */
  onBroken?: () => void;
  onTap?: (point: Point) => void;
  children?: ((view: View) => ComponentChildren) | null;
}

/** Pixels of the screen from which on a pixel of a zoomed image is drawn as a square. */
const SQUARES_FROM = 24;
/** Width of a frame that has room for words. */
const READOUT_FROM = 160;

export function Viewer(props: Props) {
  const {
    picture,
    viewing,
    isLarge = false,
    isStill = false,
    tries = 0,
    onShown,
    onBroken,
    onTap,
    children,
  } = props;
  const [frame, size] = useFrame();
  const { pixels, isFailed } = usePixels(picture.pixels_url, tries);
  const view = pixels && size ? viewOf(viewing.pose, size, pixels, picture.scale_arcsec) : null;
  const [lostTry, setLostTry] = useState<number | null>(null);
  const canvas = usePainted(pixels, viewing.look, view);
  const shown = useOnce(onShown);
  const isPainted = view !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: told once.
  useEffect(() => {
    if (isPainted) shown();
  }, [isPainted]);
  const isBroken = isFailed && lostTry === tries;
  // biome-ignore lint/correctness/useExhaustiveDependencies: told with each try.
  useEffect(() => {
    if (isBroken) onBroken?.();
  }, [isBroken, tries]);
  useGestures(frame, view, viewing, { isActive: isLarge, isStill, onTap });
  return (
    <span
      class={isLarge ? "viewer viewer--large" : "viewer"}
      data-zoomed={viewing.pose.zoom > 1}
      data-still={isStill}
      ref={frame}
    >
      {pixels ? (
        <canvas
          class="viewer__canvas"
          ref={canvas}
          role="img"
          aria-label={picture.alt}
          data-painted={isPainted}
        />
      ) : (
        <img
          class="viewer__picture"
          key={tries}
          src={picture.url}
          alt={picture.alt}
          draggable={false}
          onLoad={shown}
          onError={() => setLostTry(tries)}
        />
      )}
      {view && children && (
        // biome-ignore lint/a11y/noSvgWithoutTitle: what is drawn in it has names of its own.
        <svg class="viewer__overlay" viewBox={`0 0 ${view.width} ${view.height}`}>
          {children(view)}
        </svg>
      )}
      {isLarge && pixels && view && view.width >= READOUT_FROM && (
        <Readout pixels={pixels} look={viewing.look} view={view} />
      )}
    </span>
  );
}

/** The point of the frame of the picture where a pointer is. */
export function pointOf(event: MouseEvent): Point {
  const frame = (event.target as Element).closest(".viewer");
  const { left, top } = frame?.getBoundingClientRect() ?? { left: 0, top: 0 };
  return { x: event.clientX - left, y: event.clientY - top };
}

/** Paints the canvas before the browser does; colors are made anew only for another look. */
function usePainted(pixels: Pixels | null, look: Look, view: View | null) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const source = useMemo(() => pixels && canvasOf(pixels, look), [pixels, look]);
  useLayoutEffect(() => {
    if (canvas.current && source && view) paint(canvas.current, source, view);
  });
  return canvas;
}

function canvasOf(pixels: Pixels, look: Look): HTMLCanvasElement {
  const source = document.createElement("canvas");
  source.width = pixels.width;
  source.height = pixels.height;
  const colors = new ImageData(colored(pixels, look), pixels.width, pixels.height);
  source.getContext("2d")?.putImageData(colors, 0, 0);
  return source;
}

function paint(canvas: HTMLCanvasElement, source: HTMLCanvasElement, view: View): void {
  const density = devicePixelRatio || 1;
  canvas.width = Math.round(view.width * density);
  canvas.height = Math.round(view.height * density);
  const context = canvas.getContext("2d");
  if (!context) return;
  const middle = view.toScreen({ x: 0, y: 0 });
  context.scale(density, density);
  context.translate(middle.x, middle.y);
  context.rotate(-view.rotation_rad);
  context.scale(view.magnification, view.magnification);
  context.imageSmoothingEnabled = view.zoom <= 1 || view.magnification < SQUARES_FROM;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, -source.width / 2, -source.height / 2);
}

function useOnce(tell: (() => void) | undefined): () => void {
  const isTold = useRef(false);
  return () => {
    if (isTold.current) return;
    isTold.current = true;
    tell?.();
  };
}
