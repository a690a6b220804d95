/** One item with its pictures and the question tree, by mouse, touch or keyboard. */
import { asked, type Event, type Item, type State } from "../lib/classifying";
import { commandOf, moved } from "../lib/keys";
import { randomUuid } from "../lib/uuid";
import { Answers } from "./Answers";
import { Stage } from "./Stage";
import { useKeys } from "./useKeys";
import { useReady } from "./useReady";

interface Props {
  state: State;
  item: Item;
  dispatch: (event: Event) => void;
  hearsKeys: boolean;
  hearsCharacters: boolean;
  onHelp: () => void;
}

export function Asking(props: Props) {
  const { state, item, dispatch, hearsKeys, hearsCharacters, onHelp } = props;
  const isReady = useReady(state.readyAt);
  const question = asked(state);
  const answer = (key: string) =>
    dispatch({
      type: "answered",
      key,
      uuid: randomUuid(),
      now: performance.now(),
      clock: new Date(),
    });

  useKeys(hearsCharacters, (press) => {
    const command = hearsKeys ? commandOf(press) : null;
    if (command?.do === "back") dispatch({ type: "back" });
    if (command?.do === "answer") {
      const chosen = question?.answers[command.index];
      if (chosen) answer(chosen.key);
    }
    if (command?.do === "move") {
      moveFocus(command.by);
      press.preventDefault();
    }
  });

  if (!question) return null;
  return (
    <div class="classify__work">
      <Stage
        key={item.id}
        item={item}
        onShown={() => dispatch({ type: "shown", item: item.id, now: performance.now() })}
        onPassOver={() => dispatch({ type: "passed_over", item: item.id })}
      />
      <Answers
        question={question}
        turn={`${item.id}.${state.path.join(".")}`}
        isReady={isReady}
        isFirst={state.answered === 0}
        canGoBack={state.path.length > 0}
        onAnswer={answer}
        onBack={() => dispatch({ type: "back" })}
        onHelp={onHelp}
      />
    </div>
  );
}

function moveFocus(by: 1 | -1): void {
  const answers = [...document.querySelectorAll<HTMLElement>(".answer")];
  const place = answers.indexOf(document.activeElement as HTMLElement);
  answers[moved(place, by, answers.length)]?.focus();
}
