/** Moves the focus to the new heading when what had it has left the page with the item before. */
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

export function useFocusKept(heading: RefObject<HTMLElement | null>, isFirst: boolean): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when it appears.
  useEffect(() => {
    if (!isFirst && document.activeElement === document.body) {
      heading.current?.focus({ preventScroll: true });
    }
  }, []);
}
