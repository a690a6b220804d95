/** On pages without a question: sends what was answered before the network, or the tab, was gone. */
import { useEffect, useReducer } from "preact/hooks";
import { useTries } from "../classify/useTries";
import { after, arrearsOf, arrearsWords } from "../lib/arrears";
import { mount } from "../lib/island";
import { openOutbox } from "../lib/outbox";

function Sending() {
  const [arrears, hear] = useReducer(after, arrearsOf(found));
  const tries = useTries(arrears.isFailing);
  useEffect(() => outbox.onWord(hear), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` starts a new try.
  useEffect(() => {
    if (found.length) outbox.drain();
  }, [tries]);
  const words = arrearsWords(arrears);
  return (
    <div role="status" data-waiting={arrears.waiting.length}>
      {words && <p class="notice">{words}</p>}
    </div>
  );
}

const outbox = await openOutbox();
const found = await outbox.kept();
mount("sending", Sending);
