/** Waits until all pictures of a grid are there, and fetches again those that did not arrive. */
import { useEffect, useState } from "preact/hooks";

export interface Pictures {
  /** Changes when they are fetched again: the key of every image. */
  tries: number;
  isBroken: boolean;
  arrived: (url: string) => void;
  failed: () => void;
  again: () => void;
}

export function usePictures(urls: string[], onShown: () => void): Pictures {
  const [there, setThere] = useState<ReadonlySet<string>>(new Set());
  const [tries, setTries] = useState(0);
  const [isBroken, setIsBroken] = useState(false);
  const areAllThere = urls.every((url) => there.has(url));
  // biome-ignore lint/correctness/useExhaustiveDependencies: told once.
  useEffect(() => {
    if (areAllThere) onShown();
  }, [areAllThere]);
  return {
    tries,
    isBroken,
    arrived: (url) => setThere((before) => new Set([...before, url])),
    failed: () => setIsBroken(true),
    again: () => {
      setIsBroken(false);
      setTries(tries + 1);
    },
  };
}
