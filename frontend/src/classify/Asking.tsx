/** One item with its pictures and the question tree, by mouse, touch or keyboard. */
import { chosenBefore } from "../lib/changing";
import { asked, canMark, type Event, type Item, type State } from "../lib/classifying";
import { commandOf, moved } from "../lib/keys";
import { randomUuid } from "../lib/uuid";
import { MarkPanel } from "../marks/MarkPanel";
import { useMarking } from "../marks/useMarking";
import { Answers } from "./Answers";
import { Stage } from "./Stage";
import { useKeys } from "./useKeys";
import { useReady } from "./useReady";

interface Props {
  state: State;
  item: Item;
  /** Changes with every item shown, also when the same is shown again. */
  turn: string;
  dispatch: (event: Event) => void;
  hearsKeys: boolean;
  hearsCharacters: boolean;
  onHelp: () => void;
}

export function Asking(props: Props) {
  const { state, item, turn, dispatch, hearsKeys, hearsCharacters, onHelp } = props;
  const isReady = useReady(state.readyAt);
  const question = asked(state);
  const marks = useMarking(state, item, turn, dispatch);
  const moment = () => ({ uuid: randomUuid(), now: performance.now(), clock: new Date() });
  const answer = (key: string) => dispatch({ type: "answered", key, ...moment() });
  const marksDone = () => dispatch({ type: "marks_done", ...moment() });

  useKeys(hearsCharacters, (press) => {
    const command = hearsKeys && !state.marking ? commandOf(press) : null;
    if (command?.do === "mark") dispatch({ type: "marking_opened" });
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
        key={turn}
        item={item}
        marks={marks}
        onMarksDone={marksDone}
        hearsKeys={hearsKeys}
        hearsCharacters={hearsCharacters}
        onShown={() => dispatch({ type: "shown", item: item.id, now: performance.now() })}
        onPassOver={() => dispatch({ type: "skipped", item: item.id, uuid: randomUuid() })}
      />
      {state.marking ? (
        <MarkPanel
          work={marks}
          onDone={marksDone}
          onBack={() => dispatch({ type: "back" })}
          onHelp={onHelp}
        />
      ) : (
        <Answers
          question={question}
          chosen={chosenBefore(state.changing, state.path)}
          turn={`${turn}.${state.path.join(".")}`}
          isReady={isReady}
          isFirst={state.answered === 0}
          canGoBack={state.path.length > 0}
          n_marks={canMark(state) ? state.marks.length : null}
          onAnswer={answer}
          onBack={() => dispatch({ type: "back" })}
          onMark={() => dispatch({ type: "marking_opened" })}
          onHelp={onHelp}
        />
      )}
    </div>
  );
}

function moveFocus(by: 1 | -1): void {
  const answers = [...document.querySelectorAll<HTMLElement>(".answer")];
  const place = answers.indexOf(document.activeElement as HTMLElement);
  answers[moved(place, by, answers.length)]?.focus();
}
