/** What experts say of an item just answered; it stands aside and asks for nothing. */
import type { Feedback } from "../lib/gold";
import { t } from "../lib/words";

interface Props {
  feedback: Feedback;
  /** Opens the field guide at an answer. */
  onGuide: (answer: string) => void;
  onClose: () => void;
}

export function FeedbackNotice({ feedback, onGuide, onClose }: Props) {
  const { isRight, words, item, label } = feedback;
  return (
    <aside
      class={isRight ? "feedback feedback--right" : "feedback"}
      aria-label={t("About an answer of yours")}
    >
      <img src={item.main.url} alt="" width="64" height="64" />
      <div class="feedback__words">
        <p class="feedback__title">{item.title}</p>
        <p>{words}</p>
        {!isRight && (
          <button class="button button--quiet" type="button" onClick={() => onGuide(label)}>
            {t("See examples in the field guide")}
          </button>
        )}
      </div>
      <button class="button button--quiet" type="button" onClick={onClose}>
        {t("Close")}
      </button>
    </aside>
  );
}
