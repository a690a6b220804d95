/** What is shown, what was said last, what else can be done with it, and what went differently. */
import {
  canChange,
  changingWords,
  countWaiting,
  type Item,
  isOffline,
  type State,
} from "../lib/classifying";
import { PAGE_KEYS, type PageCommand } from "../lib/keys";
import type { Remarks } from "../lib/remarks";
import { placeOf } from "../lib/sky";
import { t, tn } from "../lib/words";
import { Icon, Key } from "./Icon";
import { RemarksPanel } from "./RemarksPanel";
import { Toolbar } from "./Toolbar";
import type { PanelName } from "./usePanel";
import { WherePanel } from "./WherePanel";

interface Props {
  state: State;
  item: Item | undefined;
  panel: PanelName | null;
  suggestedTags: string[];
  does: Record<PageCommand, () => void>;
  onRemarks: (remarks: Remarks) => void;
}

export function Standing({ state, item, panel, suggestedTags, does, onRemarks }: Props) {
  const place = item && placeOf(item);
  return (
    <div class="standing">
      {state.changing ? (
        <div class="standing__changing">
          <p>{changingWords(state.changing.last)}</p>
          <button class="button" type="button" aria-keyshortcuts="Escape" onClick={does.dismiss}>
            {t("Keep it")} <Key name="Esc" />
          </button>
        </div>
      ) : (
        <>
          <p class="standing__item">
            <span class="standing__short">{item?.title}</span>
            <span class="standing__long">{item?.description}</span>
          </p>
          <p class="standing__count">{tn("{n} answer", "{n} answers", state.answered)}</p>
          <Last state={state} onChange={does.change} />
        </>
      )}
      {item && (
        <Toolbar
          item={item}
          remarks={state.remarks}
          panel={panel}
          isChanging={state.changing !== null}
          does={does}
        />
      )}
      {item && panel === "remarks" && (
        <RemarksPanel
          remarks={state.remarks}
          suggestedTags={suggestedTags}
          onRemarks={onRemarks}
          onClose={does.remarks}
        />
      )}
      {item && place && panel === "where" && (
        <WherePanel item={item} place={place} onClose={does.where} />
      )}
      <Notices state={state} />
    </div>
  );
}

function Last({ state, onChange }: { state: State; onChange: () => void }) {
  const { last } = state;
  if (!last) return null;
  return (
    <div class="standing__last">
      <span class="standing__said">
        <span class="standing__word">{t("Last:")} </span>
        <a href={last.item.page_url}>{last.label}</a>
      </span>
      {canChange(state) && (
        <button
          class="tool tool--change"
          type="button"
          aria-keyshortcuts={PAGE_KEYS.change}
          onClick={onChange}
        >
          <Icon path="M4 20l1-5L16 4l4 4L9 19zM13 7l4 4" />
          <span class="tool__word">{t("Change")}</span>
          <span class="visually-hidden"> {t("my last answer")}</span>
          <Key name={PAGE_KEYS.change} />
        </button>
      )}
    </div>
  );
}

function Notices({ state }: { state: State }) {
  return (
    <>
      {isOffline(state) && state.queue.length > 0 && (
        <p class="notice standing__notice" role="status">
          {offlineWords(countWaiting(state))}
        </p>
      )}
      {state.notice && state.end !== "refused" && (
        <p class="notice standing__notice">{state.notice}</p>
      )}
    </>
  );
}

function offlineWords(waiting: number): string {
  if (!waiting) return t("No connection just now. The next pictures come when it is back.");
  return tn(
    "No connection just now. Just go on: {n} answer is kept here and sent later.",
    "No connection just now. Just go on: {n} answers are kept here and sent later.",
    waiting,
  );
}
