/** What is said of a try; it comes into view, for on a phone it stands below the answers. */
import { useEffect, useRef } from "preact/hooks";

export function PracticeWords({ words }: { words: string }) {
  const place = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (words) place.current?.scrollIntoView({ block: "nearest" });
  }, [words]);
  return (
    <p class="practice__words" role="status" ref={place}>
      {words}
    </p>
  );
}
