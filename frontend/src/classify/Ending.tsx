/** What stands in place of an item when there is none to answer. */
import { useEffect, useRef } from "preact/hooks";
import type { End } from "../lib/classifying";

interface Props {
  end: End;
  answered: number;
  detail: string | null;
  campaign: string;
}

const WORDS: Record<End, { title: string; text: string }> = {
  seen_all: {
    title: "You have seen everything",
    text: "There is nothing left here that you have not answered. What remains needs other eyes. Thank you!",
  },
  done: {
    title: "This campaign is done",
    text: "Every question has found enough answers. The catalog is made from them now. Thank you!",
  },
  closed: {
    title: "This campaign is closed",
    text: "It takes no more answers. Those you gave before are kept.",
  },
  cookies: {
    title: "Please allow cookies for this site",
    text: "A cookie is how we know that two answers come from the same person; it holds nothing else. Allow it, then try again. If you have just logged in or out, simply try again. Your answers are kept in this browser until then.",
  },
  revised: {
    title: "The question has been improved",
    text: "Load the page again to go on with the new wording. Your answers so far are kept.",
  },
  refused: {
    title: "This did not work",
    text: "The site did not let this go on. Load the page again; if that does not help, log in again.",
  },
};

const CAN_RELOAD: End[] = ["cookies", "revised", "refused"];

export function Ending({ end, answered, detail, campaign }: Props) {
  const { title, text } = WORDS[end];
  const heading = useRef<HTMLHeadingElement>(null);
  // Focus goes to the words, for screen readers and because the answers are gone.
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="empty ending" data-end={end}>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <p>{text}</p>
      {end === "refused" && detail && <p>{detail}</p>}
      {answered > 0 && <p>Your answers this time: {answered}</p>}
      <div class="row">
        {CAN_RELOAD.includes(end) && (
          <button class="button button--primary" type="button" onClick={() => location.reload()}>
            Try again
          </button>
        )}
        <a class="button" href={campaign}>
          To the campaign
        </a>
        <a class="button button--quiet" href="/">
          Other campaigns
        </a>
      </div>
    </section>
  );
}
