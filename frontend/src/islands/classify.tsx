/** The page on which a volunteer answers, by mouse, touch or keyboard. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Answers } from "../classify/Answers";
import { Ending } from "../classify/Ending";
import { Help } from "../classify/Help";
import { Stage } from "../classify/Stage";
import { type Addresses, useVotes } from "../classify/useVotes";
import { asked, isOffline, type State } from "../lib/classifying";
import { mount } from "../lib/island";
import { commandOf, moved } from "../lib/keys";
import type { Tree } from "../lib/tree";
import { randomUuid } from "../lib/uuid";

interface Props {
  question: { version: number; tree: Tree };
  addresses: Addresses & { campaign: string };
}

function Classify({ question: { tree, version }, addresses }: Props) {
  const [state, dispatch] = useVotes(tree, version, addresses);
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const isReady = useReady(state.readyAt);
  const item = state.queue[0];
  const question = asked(state);

  const answer = (key: string) =>
    dispatch({
      type: "answered",
      key,
      uuid: randomUuid(),
      now: performance.now(),
      clock: new Date(),
    });

  useKeys((press) => {
    const command = commandOf(press);
    if (!command) return;
    if (command.do === "help") setIsHelpOpen(!isHelpOpen);
    if (isHelpOpen || !question || state.end) return;
    if (command.do === "back") dispatch({ type: "back" });
    if (command.do === "answer") {
      const chosen = question.answers[command.index];
      if (chosen) answer(chosen.key);
    }
    if (command.do === "move") {
      moveFocus(command.by);
      press.preventDefault();
    }
  });

  return (
    <div class="classify" data-answered={state.answered} data-unsent={state.unsent.length}>
      <p class="visually-hidden" role="status">
        {state.said}
      </p>
      {!state.end && <Standing state={state} />}
      {state.end && (
        <Ending
          end={state.end}
          answered={state.answered}
          detail={state.notice}
          campaign={addresses.campaign}
        />
      )}
      {!state.end && !item && !isOffline(state) && (
        <p class="classify__wait muted">Fetching the next pictures …</p>
      )}
      {!state.end && item && question && (
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
            canGoBack={state.path.length > 0}
            onAnswer={answer}
            onBack={() => dispatch({ type: "back" })}
            onHelp={() => setIsHelpOpen(true)}
          />
        </div>
      )}
      <Help
        tree={tree}
        help={question?.help}
        isOpen={isHelpOpen}
        onClose={() => setIsHelpOpen(false)}
      />
    </div>
  );
}

/** What is shown, how much has been answered, and what went differently. */
function Standing({ state }: { state: State }) {
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

/** Turns true a moment after the picture is there, so that a double click is one answer. */
function useReady(readyAt: number | null): boolean {
  const [readySince, setReadySince] = useState<number | null>(null);
  useEffect(() => {
    if (readyAt === null) return;
    const timer = setTimeout(() => setReadySince(readyAt), readyAt - performance.now());
    return () => clearTimeout(timer);
  }, [readyAt]);
  return readyAt !== null && readySince === readyAt;
}

function useKeys(onPress: (press: KeyboardEvent) => void): void {
  const newest = useRef(onPress);
  newest.current = onPress;
  useEffect(() => {
    const listen = (press: KeyboardEvent) => newest.current(press);
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}

function moveFocus(by: 1 | -1): void {
  const answers = [...document.querySelectorAll<HTMLElement>(".answer")];
  const place = answers.indexOf(document.activeElement as HTMLElement);
  answers[moved(place, by, answers.length)]?.focus();
}

mount("classify", Classify);
