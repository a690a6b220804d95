/** What the tests of classifying have in common: pictures, events, and running them. */
import { ApiError } from "./api";
import { advance, type Event, type Item, type State } from "./classifying";
import type { Gold } from "./gold";
import type { Vote } from "./parcels";

export const CLOCK = new Date("2026-11-23T10:00:00Z");

export const picture = (path: string, subject_id: number | null = null): Item["main"] => ({
  url: `${path}.png`,
  alt: "",
  pixels_url: `${path}.fits`,
  scale_arcsec: 1.8,
  subject_id,
  rank: null,
});

export const run = (state: State, ...events: Event[]) => events.reduce(advance, state);

/** The votes among what waits. */
export const votes = (state: State): Vote[] =>
  state.unsent.flatMap((one) => (one.kind === "vote" ? [one.vote] : []));

export const show = (item: number, now = 1000): Event => ({ type: "shown", item, now });

export const answer = (key: string, now = 5000, uuid = `uuid-of-${key}-${now}`): Event => ({
  type: "answered",
  key,
  uuid,
  now,
  clock: CLOCK,
});

export const taken = (uuid: string, gold: Gold | null = null): Event => ({
  type: "taken",
  uuid,
  gold,
});

export const refuse = (uuid: string | null, status: number, code: string): Event => ({
  type: "refused",
  uuid,
  error: new ApiError(status, code, "In the server's words."),
});
