/** Turns true a moment after the pictures are there, so that a double click is one answer. */
import { useEffect, useState } from "preact/hooks";

export function useReady(readyAt: number | null): boolean {
  const [readySince, setReadySince] = useState<number | null>(null);
  useEffect(() => {
    if (readyAt === null) return;
    const timer = setTimeout(() => setReadySince(readyAt), readyAt - performance.now());
    return () => clearTimeout(timer);
  }, [readyAt]);
  return readyAt !== null && readySince === readyAt;
}
