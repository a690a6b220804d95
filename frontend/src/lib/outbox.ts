/** Keeps votes in the browser until the server has taken them, also over a reload. */
import type { components } from "../api/schema";

export type Vote = components["schemas"]["VoteRequestRequest"];

const PREFIX = "protozoo.vote.";

/** The browser's storage; null where cookies are forbidden, for then even asking for it throws. */
export function browserStorage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** One entry for each vote, so that two tabs never overwrite each other's. */
export function keep(storage: Storage | null, vote: Vote): void {
  try {
    storage?.setItem(PREFIX + vote.client_uuid, JSON.stringify(vote));
  } catch {
    // A full or forbidden storage costs only the safety net: the vote is sent all the same.
  }
}

export function forget(storage: Storage | null, uuid: string): void {
  storage?.removeItem(PREFIX + uuid);
}

/** All kept votes, oldest first; what cannot be read is thrown away. */
export function kept(storage: Storage | null): Vote[] {
  if (!storage) return [];
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  const votes = keys.filter((key) => key.startsWith(PREFIX)).map((key) => read(storage, key));
  return votes
    .filter((vote): vote is Vote => vote !== null)
    .sort((one, other) => one.answered_at.localeCompare(other.answered_at));
}

function read(storage: Storage, key: string): Vote | null {
  try {
    const vote = JSON.parse(storage.getItem(key) ?? "") as Vote | null;
    if (vote && PREFIX + vote.client_uuid === key && hasAnswer(vote)) return vote;
  } catch {
    // Falls through: not a vote of ours.
  }
  storage.removeItem(key);
  return null;
}

/** Whether it answers a question or sorts a grid. */
function hasAnswer(vote: Vote): boolean {
  return Array.isArray(vote.path) || Array.isArray(vote.grid?.ticked);
}
