/** Below a grid: how many are ticked, how to take that back, and the two ways to answer. */
import { countOf, sendingOf, type Verdict } from "../lib/grid";
import { t } from "../lib/words";
import { Icon, Key } from "./Icon";

interface Props {
  n_ticked: number;
  canUndo: boolean;
  isReady: boolean;
  /** What is said now would change an answer that called the grid too mixed. */
  wasMixed: boolean;
  onUndo: () => void;
  onClear: () => void;
  onSend: (verdict: Verdict) => void;
}

export function Sending({ n_ticked, canUndo, isReady, wasMixed, onUndo, onClear, onSend }: Props) {
  return (
    <div class="sending">
      <div class="sending__count">
        <p>{countOf(n_ticked)}</p>
        <button
          class="button button--quiet"
          type="button"
          aria-disabled={!canUndo}
          aria-keyshortcuts="z"
          onClick={onUndo}
        >
          <Icon path="M9 5 4 10l5 5M4 10h9a6 6 0 0 1 0 12h-3" />
          <span class="sending__word">{t("Undo")}</span> <Key name="z" />
        </button>
        <button
          class="button button--quiet"
          type="button"
          aria-disabled={!n_ticked}
          aria-keyshortcuts="x"
          onClick={onClear}
        >
          <Icon path="M5 5l14 14M19 5 5 19" />
          <span class="sending__word">{t("Clear")}</span> <Key name="x" />
        </button>
      </div>
      <div class="sending__answers">
        <button
          class="button button--large sending__mixed"
          type="button"
          aria-disabled={!isReady}
          aria-keyshortcuts="m"
          onClick={() => onSend("too_mixed")}
        >
          <span>
            {t("Too mixed to say")}
            {wasMixed && <span class="answer__chosen">{t("your answer")}</span>}
          </span>{" "}
          <Key name="m" />
        </button>
        <button
          class="button button--primary button--large sending__send"
          type="button"
          aria-disabled={!isReady}
          aria-keyshortcuts="Enter"
          onClick={() => onSend("sorted")}
        >
          {sendingOf(n_ticked)} <Key name="Enter" />
        </button>
      </div>
    </div>
  );
}
