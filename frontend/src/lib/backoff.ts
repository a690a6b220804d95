/** How long to wait before the next try to reach the server. */

/** In seconds; after the last of them every try waits as long. */
const PAUSES_S = [2, 5, 10, 30];

/** Each pause is up to a quarter shorter or longer, so that not all browsers come back at once. */
const SPREAD = 0.25;

/** The pause after so many failed tries before, by a chance between 0 and 1. */
export function pauseMs(tries: number, chance: number): number {
  const seconds = PAUSES_S[Math.min(tries, PAUSES_S.length - 1)] ?? 0;
  return 1000 * seconds * (1 + SPREAD * (2 * chance - 1));
}
