/** Below a large picture: the value and the place under the pointer, and how long a bar is. */
import { useEffect, useRef, useState } from "preact/hooks";
import { bandDrawn, type Look, type Pixels } from "../lib/brightness";
import { formatDecimal } from "../lib/format";
import { angleWords, type Point, scaleBarOf, type View, valueWords } from "../lib/viewing";
import { t } from "../lib/words";

interface Props {
  pixels: Pixels;
  look: Look;
  view: View;
}

export function Readout({ pixels, look, view }: Props) {
  const line = useRef<HTMLSpanElement>(null);
  const pointer = usePointer(line);
  const bar = scaleBarOf(view);
  return (
    <span class="viewer__readout" ref={line}>
      <span class="viewer__value">{pointer && valueAt(pixels, look, view, pointer)}</span>
      {bar && (
        <span class="viewer__scale">
          <span class="visually-hidden">{t("Length of the bar:")} </span>
          {angleWords(bar.arcsec)}
          <svg width={bar.length} height="7" aria-hidden="true">
            <path d={`M.5 0v6.5h${bar.length - 1}V0`} />
          </svg>
        </span>
      )}
    </span>
  );
}

/** Where the mouse is in the frame around an element; null while it is elsewhere. */
function usePointer(inside: { current: HTMLElement | null }): Point | null {
  const [pointer, setPointer] = useState<Point | null>(null);
  useEffect(() => {
    const frame = inside.current?.closest<HTMLElement>(".viewer");
    if (!frame) return;
    const follow = (event: PointerEvent) => {
      const { left, top } = frame.getBoundingClientRect();
      setPointer({ x: event.clientX - left, y: event.clientY - top });
    };
    const leave = () => setPointer(null);
    frame.addEventListener("pointermove", follow);
    frame.addEventListener("pointerleave", leave);
    return () => {
      frame.removeEventListener("pointermove", follow);
      frame.removeEventListener("pointerleave", leave);
    };
  }, [inside]);
  return pointer;
}

function valueAt(pixels: Pixels, look: Look, view: View, pointer: Point): string | null {
  const { width, height } = pixels;
  const { x, y } = view.toImage(pointer);
  const [column, row] = [Math.floor(x + width / 2), Math.floor(y + height / 2)];
  if (column < 0 || row < 0 || column >= width || row >= height) return null;
  const place = row * width + column;
  const one = bandDrawn(pixels, look.bands);
  const values = (one ? [one] : pixels.bands).map((band) => band.values[place] ?? Number.NaN);
  const said = values.map((value) =>
    Number.isNaN(value) ? t("blank") : formatDecimal(valueWords(value)),
  );
  const scale = view.scale_arcsec;
  const place_words = scale ? t("at {x}″, {y}″", offsets(x * scale, y * scale)) : "";
  return `${said.join(", ")} ${place_words}`;
}

function offsets(x: number, y: number) {
  return { x: offset(x), y: offset(y) };
}

function offset(arcsec: number): string {
  return formatDecimal(arcsec.toFixed(1)).replace("-", "−");
}
