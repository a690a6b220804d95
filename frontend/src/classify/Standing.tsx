/** What is shown, how much has been answered, and what went differently. */
import { isOffline, type State } from "../lib/classifying";

export function Standing({ state }: { state: State }) {
  const item = state.queue[0];
  const waiting = state.unsent.length;
  return (
    <div class="standing">
      <p class="standing__item">
        <span class="standing__short">{item?.title}</span>
        <span class="standing__long">{item?.description}</span>
      </p>
      <p class="standing__last">
        {state.last && (
          <>
            Last: <a href={state.last.page_url}>{state.last.label}</a>
          </>
        )}
      </p>
      <p class="standing__count">
        {state.answered === 1 ? "1 answer" : `${state.answered} answers`}
      </p>
      {isOffline(state) && (
        <p class="notice notice--warn standing__notice" role="status">
          {waiting
            ? `No connection just now. Your answers are kept here and sent later (${waiting} waiting).`
            : "No connection just now. The next pictures come when it is back."}
        </p>
      )}
      {state.notice && (
        <p class="notice standing__notice" role="status">
          {state.notice}
        </p>
      )}
    </div>
  );
}
