/** The pixels of pictures: of one that is shown, and of those to come. */
import { useEffect, useState } from "preact/hooks";
import type { Pixels } from "../lib/brightness";
import type { Item } from "../lib/classifying";
import { fetchPixels, keepPixels, pixelsAt } from "./pixelStore";

export interface Arrival {
  /** Null until they are there. */
  pixels: Pixels | null;
  isFailed: boolean;
}

/** Fetches the pixels at an address, again with each new number of `tries`. */
export function usePixels(address: string, tries = 0): Arrival {
  const [arrival, setArrival] = useState<Arrival & { address: string }>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` starts a new try.
  useEffect(() => {
    let isWanted = true;
    const arrived = (pixels: Pixels | null) => {
      if (isWanted) setArrival({ address, pixels, isFailed: pixels === null });
    };
    if (!pixelsAt(address)) fetchPixels(address).then(arrived, () => arrived(null));
    return () => {
      isWanted = false;
    };
  }, [address, tries]);
  const known = pixelsAt(address);
  if (known) return { pixels: known, isFailed: false };
  return arrival?.address === address ? arrival : { pixels: null, isFailed: false };
}

/** Fetches the pixels of all items that wait, in their order, and forgets all others. */
export function usePixelsAhead(queue: Item[]): void {
  useEffect(() => {
    const addresses = queue.flatMap((item) =>
      [item.main, ...item.members].map(({ pixels_url }) => pixels_url),
    );
    keepPixels(new Set(addresses));
    for (const address of addresses) {
      fetchPixels(address, false).catch(() => {
        // Asked for again when it is shown; its picture stands in if that fails, too.
      });
    }
  }, [queue]);
}
