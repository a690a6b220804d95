/** Takes the item of a link out of the address once another one is shown. */
import { useEffect } from "preact/hooks";
import type { State } from "../lib/classifying";

export function useLink(linked: number | null, { hasBegun, queue }: State): void {
  const isLeft = linked !== null && hasBegun && queue[0]?.id !== linked;
  useEffect(() => {
    if (isLeft) history.replaceState(null, "", location.pathname);
  }, [isLeft]);
}
