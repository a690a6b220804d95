/** What stands in place of an item when all that was here is answered and the network is away. */
import { countWaiting, type State } from "../lib/classifying";
import { t, tn } from "../lib/words";

export function Resting({ state }: { state: State }) {
  const waiting = countWaiting(state);
  return (
    <section class="empty ending" data-resting>
      <h2>{t("Time for a short rest")}</h2>
      {waiting > 0 && (
        <p>
          {tn(
            "{n} answer waits in this browser. It is sent when the connection is back, even if you close this page and come again later.",
            "{n} answers wait in this browser. They are sent when the connection is back, even if you close this page and come again later.",
            waiting,
          )}
        </p>
      )}
      <p>
        {t("There is no connection just now. New pictures come by themselves when it is back.")}
      </p>
      {state.answered > 0 && (
        <p>
          {tn("{n} answer so far. Thank you!", "{n} answers so far. Thank you!", state.answered)}
        </p>
      )}
    </section>
  );
}
