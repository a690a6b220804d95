/** What experts say of an item just answered; it stands aside and asks for nothing. */
import type { Feedback } from "../lib/gold";
import { t } from "../lib/words";

interface Props {
  feedback: Feedback;
  onClose: () => void;
}

export function FeedbackNotice({ feedback: { isRight, words, item }, onClose }: Props) {
  return (
    <aside
      class={isRight ? "feedback feedback--right" : "feedback"}
      aria-label={t("About an answer of yours")}
    >
      <img src={item.main.url} alt="" width="64" height="64" />
      <div class="feedback__words">
        <p class="feedback__title">{item.title}</p>
        <p>{words}</p>
      </div>
      <button class="button button--quiet" type="button" onClick={onClose}>
        {t("Close")}
      </button>
    </aside>
  );
}
