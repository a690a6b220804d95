/** Which prototype an arrow key leads to on the sheet of a map. */

export interface Place {
  row: number;
  column: number;
}

export interface Size {
  rows: number;
  columns: number;
}

/** None for keys that do not move, and at the edge of the map. */
export function stepped(from: Place, key: string, { rows, columns }: Size): Place | null {
  const to = aim(from, key, columns);
  if (!to || to.row < 0 || to.row >= rows || to.column < 0 || to.column >= columns) return null;
  return to;
}

function aim({ row, column }: Place, key: string, columns: number): Place | null {
  switch (key) {
    case "ArrowUp":
      return { row: row - 1, column };
    case "ArrowDown":
      return { row: row + 1, column };
    case "ArrowLeft":
      return { row, column: column - 1 };
    case "ArrowRight":
      return { row, column: column + 1 };
    case "Home":
      return { row, column: 0 };
    case "End":
      return { row, column: columns - 1 };
    default:
      return null;
  }
}
