/** Joins the state of classifying to the server: fetches items ahead, sends what was done. */
import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { ApiError, post } from "../lib/api";
import {
  advance,
  beginning,
  type Event,
  held,
  type Item,
  isOffline,
  type Served,
  type State,
  wanted,
} from "../lib/classifying";
import type { Outbox } from "../lib/outbox";
import type { Parcel } from "../lib/parcels";
import type { Tree } from "../lib/tree";
import { usePixelsAhead } from "../viewer/usePixels";
import { useTries } from "./useTries";

export interface Addresses {
  next: string;
}

/** What the page has at its beginning beside its props. */
export interface Luggage {
  outbox: Outbox;
  /** Kept from an earlier visit. */
  unsent: Parcel[];
  /** The item of a link, to be shown first. */
  wanted: number | null;
}

export function useVotes(
  tree: Tree,
  version: number,
  addresses: Addresses,
  luggage: Luggage,
): [State, (event: Event) => void] {
  const [state, dispatch] = useReducer(advance, null, () =>
    beginning(tree, version, luggage.unsent),
  );
  const tries = useTries(isOffline(state));
  useItems(state, dispatch, addresses.next, luggage.wanted, tries);
  useOutbox(state, dispatch, luggage.outbox, tries);
  usePixelsAhead(useItemsInReach(state));
  return [state, dispatch];
}

function useItems(
  state: State,
  dispatch: (event: Event) => void,
  address: string,
  linked: number | null,
  tries: number,
): void {
  const isUnderWay = useRef(false);
  const isLinkShown = useRef(false);
  const count = wanted(state);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is held is read when asking.
  useEffect(() => {
    if (!count || isUnderWay.current) return;
    isUnderWay.current = true;
    const first = isLinkShown.current ? null : linked;
    post<Served>(address, { count, exclude: held(state), ...(first && { wanted: first }) })
      .finally(() => {
        isUnderWay.current = false;
      })
      .then(
        ({ state: supply, items, notice }) => {
          isLinkShown.current = true;
          dispatch({ type: "served", supply, items, missing: notice });
        },
        (reason) => dispatch({ type: "refused", uuid: null, error: errorOf(reason) }),
      );
  }, [count, state.queue, tries]);
}

function useOutbox(
  state: State,
  dispatch: (event: Event) => void,
  outbox: Outbox,
  tries: number,
): void {
  const put = useRef(new Set(state.unsent.map(({ uuid }) => uuid)));
  // Whatever waits is sent once the server knows this browser's volunteer.
  const isHalted = !state.hasBegun || state.end === "cookies" || state.end === "refused";
  useEffect(() => outbox.onWord(dispatch), [outbox, dispatch]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` starts a new try.
  useEffect(() => {
    const fresh = state.unsent.filter(({ uuid }) => !put.current.has(uuid));
    for (const { uuid } of fresh) put.current.add(uuid);
    Promise.all(fresh.map(outbox.put)).then(async () => {
      if (isHalted || !state.unsent.length) return;
      await outbox.drain();
      await missed(outbox, state.unsent, dispatch);
    });
  }, [outbox, dispatch, state.unsent, isHalted, tries]);
}

/** What is no longer kept has been sent by another tab while this one slept. */
async function missed(
  outbox: Outbox,
  unsent: readonly Parcel[],
  dispatch: (event: Event) => void,
): Promise<void> {
  const kept = new Set((await outbox.kept()).map(({ uuid }) => uuid));
  for (const { uuid } of unsent) {
    if (!kept.has(uuid)) dispatch({ type: "taken", uuid, gold: null });
  }
}

/** What may be shown next without a network: the items to come, and the one answered last. */
function useItemsInReach({ queue, last }: State): Item[] {
  const answered = last?.item;
  return useMemo(() => (answered ? [...queue, answered] : queue), [queue, answered]);
}

function errorOf(reason: unknown): ApiError {
  if (reason instanceof ApiError) return reason;
  return new ApiError(500, "unknown", String(reason));
}
