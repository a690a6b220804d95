/** Joins the state of classifying to the server: fetches items ahead, sends votes, tries again. */
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { components } from "../api/schema";
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
import { browserStorage, forget, keep, kept } from "../lib/outbox";
import type { Tree } from "../lib/tree";

type Taken = components["schemas"]["Vote"];

/** Waits between tries while the server cannot be reached, in seconds; then every 30. */
const PAUSES_S = [2, 5, 10, 30];

export interface Addresses {
  next: string;
  votes: string;
}

export function useVotes(
  tree: Tree,
  version: number,
  addresses: Addresses,
): [State, (event: Event) => void] {
  const [state, dispatch] = useReducer(advance, null, () =>
    beginning(tree, version, kept(browserStorage())),
  );
  const tries = useTries(isOffline(state));
  useItems(state, dispatch, addresses.next, tries);
  useOutbox(state, dispatch, addresses.votes, tries);
  usePicturesAhead(state.queue);
  return [state, dispatch];
}

function useItems(
  state: State,
  dispatch: (event: Event) => void,
  address: string,
  tries: number,
): void {
  const isUnderWay = useRef(false);
  const count = wanted(state);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is held is read when asking.
  useEffect(() => {
    if (!count || isUnderWay.current) return;
    isUnderWay.current = true;
    post<Served>(address, { count, exclude: held(state) })
      .finally(() => {
        isUnderWay.current = false;
      })
      .then(
        (answer) => dispatch({ type: "served", supply: answer.state, items: answer.items }),
        (reason) => dispatch({ type: "refused", uuid: null, error: errorOf(reason) }),
      );
  }, [count, state.queue, tries]);
}

function useOutbox(
  state: State,
  dispatch: (event: Event) => void,
  address: string,
  tries: number,
): void {
  const underWay = useRef<string | null>(null);
  const vote = state.unsent[0];
  const isHalted = !state.hasBegun || state.end === "cookies" || state.end === "refused";
  useEffect(() => {
    for (const waiting of state.unsent) keep(browserStorage(), waiting);
  }, [state.unsent]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` starts a new try.
  useEffect(() => {
    if (!vote || isHalted || underWay.current === vote.client_uuid) return;
    const uuid = vote.client_uuid;
    underWay.current = uuid;
    post<Taken>(address, vote)
      .then(({ gold }): Event => ({ type: "taken", uuid, gold }))
      .catch((reason): Event => ({ type: "refused", uuid, error: errorOf(reason) }))
      .then((event) => {
        underWay.current = null;
        if (event.type === "taken" || isFinal(event)) forget(browserStorage(), uuid);
        dispatch(event);
      });
  }, [vote, tries, isHalted, address]);
}

/** Counts up each time that it is worth trying again. */
function useTries(isFailing: boolean): number {
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const again = () => setTries((before) => before + 1);
    addEventListener("online", again);
    return () => removeEventListener("online", again);
  }, []);
  useEffect(() => {
    if (!isFailing) return setTries(0);
    const pause = PAUSES_S[Math.min(tries, PAUSES_S.length - 1)] ?? 30;
    const timer = setTimeout(() => setTries(tries + 1), pause * 1000);
    return () => clearTimeout(timer);
  }, [isFailing, tries]);
  return tries;
}

/** Lets the browser fetch the pictures of the items to come. */
function usePicturesAhead(queue: Item[]): void {
  useEffect(() => {
    for (const item of queue.slice(1)) {
      for (const picture of [item.main, ...item.members]) new Image().src = picture.url;
    }
  }, [queue]);
}

/** Whether the server has spoken its last word on a vote, so that it need not be kept. */
function isFinal(event: Event): boolean {
  return event.type === "refused" && !event.error.isPassing && event.error.status !== 403;
}

function errorOf(reason: unknown): ApiError {
  if (reason instanceof ApiError) return reason;
  return new ApiError(500, "unknown", String(reason));
}
