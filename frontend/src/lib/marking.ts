/** Places that a volunteer marks in a picture: points and boxes, each with a role of the tree. */
import type { components } from "../api/schema";
import type { Tree } from "./tree";

/** Arcseconds from the picture's center in the frame shown: x to the right, y upwards. */
export type Mark = components["schemas"]["MarkRequest"];
export type Role = components["schemas"]["Role"];

export function rolesOf(tree: Tree): Role[] {
  return tree.marks ?? [];
}

/** With one more mark; beyond the most of its role the oldest of them makes room. */
export function marked(marks: readonly Mark[], mark: Mark, tree: Tree): readonly Mark[] {
  const role = rolesOf(tree).find(({ key }) => key === mark.role);
  if (!role) return marks;
  const alike = marks.filter((one) => one.role === mark.role);
  const rest = alike.length < role.most ? marks : marks.filter((one) => one !== alike[0]);
  return [...rest, mark];
}

export function unmarked(marks: readonly Mark[], place: number): readonly Mark[] {
  return marks.filter((_, one) => one !== place);
}
