/** Counts up each time that it is worth trying again to reach the server. */
import { useEffect, useState } from "preact/hooks";
import { pauseMs } from "../lib/backoff";

export function useTries(isFailing: boolean): number {
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const again = () => {
      if (document.visibilityState === "visible") setTries((before) => before + 1);
    };
    addEventListener("online", again);
    document.addEventListener("visibilitychange", again);
    return () => {
      removeEventListener("online", again);
      document.removeEventListener("visibilitychange", again);
    };
  }, []);
  useEffect(() => {
    if (!isFailing) return setTries(0);
    const timer = setTimeout(() => setTries(tries + 1), pauseMs(tries, Math.random()));
    return () => clearTimeout(timer);
  }, [isFailing, tries]);
  return tries;
}
