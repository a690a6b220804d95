/** Lets the sheet of prototypes change its overlay without a reload and be walked by arrow keys. */
import { type Place, type Size, stepped } from "../lib/mapSheet";

type Cell = SVGAElement;

for (const frame of document.querySelectorAll<HTMLElement>('[data-island="map"]')) {
  switchOverlays(frame);
  walkByKeys(frame);
  readOut(frame);
}

/** The links above the sheet keep working as links; a plain click changes the page in place. */
function switchOverlays(frame: HTMLElement): void {
  const links = [
    ...document.querySelectorAll<HTMLAnchorElement>("[data-overlay-links] [data-show]"),
  ];
  for (const link of links) {
    link.addEventListener("click", (click) => {
      if (click.ctrlKey || click.metaKey || click.shiftKey || click.button !== 0) return;
      click.preventDefault();
      for (const other of links) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      frame.dataset.show = link.dataset.show ?? "";
      history.replaceState(null, "", link.href);
    });
  }
}

/** One stop for the tab key; arrows go from prototype to prototype. */
function walkByKeys(frame: HTMLElement): void {
  const cells = new Map([...cellsOf(frame)].map((cell) => [keyOf(placeOf(cell)), cell]));
  const size = sizeOf([...cells.values()].map(placeOf));
  let stop: Cell | undefined;
  const settle = (cell: Cell) => {
    stop?.setAttribute("tabindex", "-1");
    cell.setAttribute("tabindex", "0");
    stop = cell;
  };
  for (const cell of cells.values()) cell.setAttribute("tabindex", "-1");
  const first = cells.values().next().value;
  if (first) settle(first);
  for (const cell of cells.values()) {
    cell.addEventListener("focus", () => settle(cell));
    cell.addEventListener("keydown", (press) => {
      if (press.ctrlKey || press.metaKey || press.altKey) return;
      const to = stepped(placeOf(cell), press.key, size);
      const next = to && cells.get(keyOf(to));
      if (!next) return;
      press.preventDefault();
      next.focus();
    });
  }
}

/** Says below the sheet what the pointer or the focus is on. */
function readOut(frame: HTMLElement): void {
  const line = document.querySelector<HTMLElement>("[data-readout]");
  if (!line) return;
  const idle = line.textContent;
  for (const cell of cellsOf(frame)) {
    const tell = () => {
      line.textContent = cell.getAttribute("aria-label");
    };
    const rest = () => {
      line.textContent = idle;
    };
    cell.addEventListener("pointerenter", tell);
    cell.addEventListener("focus", tell);
    cell.addEventListener("pointerleave", rest);
    cell.addEventListener("blur", rest);
  }
}

function cellsOf(frame: HTMLElement): NodeListOf<Cell> {
  return frame.querySelectorAll<Cell>(".map-cell");
}

function placeOf(cell: Cell): Place {
  return { row: Number(cell.dataset.row), column: Number(cell.dataset.column) };
}

function keyOf({ row, column }: Place): string {
  return `${row},${column}`;
}

function sizeOf(places: Place[]): Size {
  return {
    rows: 1 + Math.max(-1, ...places.map((place) => place.row)),
    columns: 1 + Math.max(-1, ...places.map((place) => place.column)),
  };
}
