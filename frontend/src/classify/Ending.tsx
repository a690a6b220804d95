/** What stands in place of an item when there is none to answer. */
import { useEffect, useRef } from "preact/hooks";
import type { End, State } from "../lib/classifying";
import { t, tn } from "../lib/words";

interface Props {
  state: State;
  end: End;
  campaign: string;
}

const CAN_RELOAD: End[] = ["cookies", "revised", "refused"];

export function Ending({ state, end, campaign }: Props) {
  const { title, text } = wordsOf(end);
  const heading = useRef<HTMLHeadingElement>(null);
  // Focus goes to the words, for screen readers and because the answers are gone.
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="empty ending" data-end={end}>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <p>{text}</p>
      {end === "refused" && state.notice && <p>{state.notice}</p>}
      {state.answered > 0 && <p class="ending__count">{countWords(state.answered)}</p>}
      <div class="row">
        {CAN_RELOAD.includes(end) ? (
          <button class="button button--primary" type="button" onClick={() => location.reload()}>
            {t("Try again")}
          </button>
        ) : (
          <a class="button button--primary" href="/">
            {t("Another campaign")}
          </a>
        )}
        <a class="button" href="/me/">
          {t("My answers")}
        </a>
        <a class="button button--quiet" href={campaign}>
          {t("To the campaign")}
        </a>
      </div>
    </section>
  );
}

function countWords(answered: number): string {
  return tn(
    "You gave {n} answer this time. Thank you!",
    "You gave {n} answers this time. Thank you!",
    answered,
  );
}

function wordsOf(end: End): { title: string; text: string } {
  switch (end) {
    case "seen_all":
      return {
        title: t("You have seen everything"),
        text: t(
          "There is nothing left here that you have not answered. What remains needs other eyes. Another campaign would be glad of yours.",
        ),
      };
    case "done":
      return {
        title: t("This campaign is done"),
        text: t(
          "Every question has found enough answers, and the catalog is made from them now. What the crowd said of yours stands with your answers.",
        ),
      };
    case "closed":
      return {
        title: t("This campaign is closed"),
        text: t("It takes no more answers. Those you gave before are kept."),
      };
    case "cookies":
      return {
        title: t("Please allow cookies for this site"),
        text: t(
          "A cookie is how we know that two answers come from the same person; it holds nothing else. Allow it, then try again. If you have just logged in or out, simply try again. Your answers are kept in this browser until then.",
        ),
      };
    case "revised":
      return {
        title: t("The question has been improved"),
        text: t("Load the page again to go on with the new wording. Your answers so far are kept."),
      };
    case "refused":
      return {
        title: t("This did not work"),
        text: t(
          "The site did not let this go on. Load the page again; if that does not help, log in again.",
        ),
      };
  }
}
