/** What waits in the browser to be sent: votes, skips and favourites, in the order they were made. */
import type { components } from "../api/schema";
import type { ApiError, Request } from "./api";

export type Vote = components["schemas"]["VoteRequestRequest"];

export type Parcel =
  | { kind: "vote"; uuid: string; item: number; vote: Vote }
  | { kind: "skip"; uuid: string; item: number }
  | { kind: "favourite"; uuid: string; item: number; is_favourite: boolean };

/** A parcel with its place in the line. */
export type Kept = Parcel & { order: number };

export function parcelOf(vote: Vote): Parcel {
  return { kind: "vote", uuid: vote.client_uuid, item: vote.item, vote };
}

export function requestOf(parcel: Parcel): Request {
  if (parcel.kind === "vote") return { method: "POST", address: "/api/votes/", body: parcel.vote };
  const item = `/api/items/${parcel.item}`;
  if (parcel.kind === "skip") return { method: "POST", address: `${item}/skip/` };
  return { method: parcel.is_favourite ? "PUT" : "DELETE", address: `${item}/favourite/` };
}

export function inOrder(parcels: readonly Kept[]): Kept[] {
  return [...parcels].sort((one, other) => one.order - other.order);
}

/** Whether the server has spoken its last word, so that a parcel need not be kept. */
export function isFinal(error: ApiError): boolean {
  return !error.isPassing && error.status !== 403;
}

/**
 * What becomes of the others when a vote was refused for good: a change of it now changes what the
 * refused one would have changed, or is a first answer. Those that stay as they are, are the same objects.
 */
export function relinked<One extends Parcel>(parcels: readonly One[], refused: Parcel): One[] {
  if (refused.kind !== "vote") return [...parcels];
  return parcels.map((parcel) => {
    if (parcel.kind !== "vote" || parcel.vote.supersedes !== refused.uuid) return parcel;
    const { supersedes: _, ...vote } = parcel.vote;
    const before = refused.vote.supersedes;
    return { ...parcel, vote: before ? { ...vote, supersedes: before } : vote };
  });
}
