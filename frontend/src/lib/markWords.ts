/** Says aloud what is marked and where: "Component 1, 12 arcsec right, 3 up". */
import { formatDecimal } from "./format";
import type { Mark, Spot } from "./marks";
import type { Role } from "./tree";
import { t, tn } from "./words";

/** What a mark is called: by its role, and a number where there may be several. */
export function nameOf(roles: readonly Role[], marks: readonly Mark[], mark: Mark): string {
  const role = roles.find(({ key }) => key === mark.role);
  if (!role) return mark.role;
  const alike = marks.filter((one) => one.role === mark.role);
  const number = alike.findIndex(({ id }) => id === mark.id) + 1;
  return role.most === 1 ? role.label : `${role.label} ${number}`;
}

/** A mark with its place, and a box with its size. */
export function describe(roles: readonly Role[], marks: readonly Mark[], mark: Mark): string {
  return `${nameOf(roles, marks, mark)}, ${extentOf(mark)}`;
}

/** The place of a mark, and the size of a box. */
export function extentOf(mark: Mark): string {
  if (mark.shape === "point") return placeOf(mark);
  return `${placeOf(mark)}, ${t("{width} wide and {height} high", sizesOf(mark))}`;
}

/** Where a spot lies, seen from the picture's center. */
export function placeOf({ x, y }: Spot): string {
  const right = figure(Math.abs(x));
  const up = figure(Math.abs(y));
  if (right === "0" && up === "0") return t("in the middle");
  if (up === "0")
    return x > 0 ? t("{n} arcsec right", { n: right }) : t("{n} arcsec left", { n: right });
  if (right === "0") return y > 0 ? t("{n} arcsec up", { n: up }) : t("{n} arcsec down", { n: up });
  const values = { right, up };
  if (x > 0) {
    return y > 0
      ? t("{right} arcsec right, {up} up", values)
      : t("{right} arcsec right, {up} down", values);
  }
  return y > 0
    ? t("{right} arcsec left, {up} up", values)
    : t("{right} arcsec left, {up} down", values);
}

export function isTaken(role: Role): string {
  return t("Now marking: {role}.", { role: role.label });
}

export function cornerAt(spot: Spot): string {
  return t("First corner {place}. Now the corner across.", { place: placeOf(spot) });
}

export function isGone(name: string): string {
  return t("{name} deleted.", { name });
}

export function tooMany(role: Role): string {
  return t("There are {n} marks of {role} already. Delete one first.", {
    n: role.most,
    role: role.label,
  });
}

export function tooSmall(): string {
  return t("That box is too small. Choose a corner farther away.");
}

export function countOf(n_marks: number): string {
  return n_marks ? tn("{n} mark", "{n} marks", n_marks) : t("No marks");
}

function sizesOf(mark: Mark): { width: string; height: string } {
  return { width: figure(mark.width), height: figure(mark.height) };
}

/** A few digits: whole arcsec, and tenths below ten. */
function figure(value: number): string {
  return formatDecimal(Number(value.toFixed(value < 9.95 ? 1 : 0)));
}
