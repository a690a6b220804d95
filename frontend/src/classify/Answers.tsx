/** The question and its answers as buttons, each with its digit key. */
import { useEffect, useRef } from "preact/hooks";
import { countOf } from "../lib/markWords";
import type { Question } from "../lib/tree";
import { t } from "../lib/words";
import { Key } from "./Icon";
import { useFocusKept } from "./useFocusKept";

interface Props {
  question: Question;
  /** The answer given before, while it is being changed. */
  chosen: string | null;
  /** Changes with every question shown, so that focus can follow. */
  turn: string;
  isReady: boolean;
  isFirst: boolean;
  canGoBack: boolean;
  /** Marks in the picture so far; none where nothing can be marked. */
  n_marks: number | null;
  onAnswer: (key: string) => void;
  onBack: () => void;
  onMark: () => void;
  onHelp: () => void;
}

export function Answers(props: Props) {
  const { question, chosen, turn, isReady, isFirst, canGoBack, n_marks } = props;
  const { onAnswer, onBack, onMark, onHelp } = props;
  const list = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useFocusKept(heading, isFirst);
  // biome-ignore lint/correctness/useExhaustiveDependencies: focus moves when the turn does.
  useEffect(() => {
    if (list.current?.contains(document.activeElement)) {
      heading.current?.focus({ preventScroll: true });
    }
  }, [turn]);
  return (
    <section class="answers" aria-labelledby="question">
      <div class="answers__head">
        <h2 id="question" ref={heading} tabIndex={-1}>
          {question.text}
        </h2>
        {canGoBack && (
          <button class="button button--quiet" type="button" onClick={onBack}>
            {t("Back")}
          </button>
        )}
        {n_marks !== null && (
          <button class="button button--quiet" type="button" aria-keyshortcuts="p" onClick={onMark}>
            {n_marks ? countOf(n_marks) : t("Mark")} <Key name="p" />
          </button>
        )}
        <button class="button button--quiet answers__help" type="button" onClick={onHelp}>
          {t("Help")}{" "}
          <span class="key" aria-hidden="true">
            ?
          </span>
        </button>
      </div>
      <div class="answers__list" ref={list} data-ready={isReady ? turn : undefined}>
        {question.answers.map((answer, index) => (
          <button
            key={answer.key}
            class={answer.key === chosen ? "answer answer--chosen" : "answer"}
            type="button"
            aria-disabled={!isReady}
            aria-keyshortcuts={String(index + 1)}
            onClick={() => onAnswer(answer.key)}
          >
            <span class="key" aria-hidden="true">
              {index + 1}
            </span>
            <span class="answer__words">
              <span class="answer__label">{answer.label}</span>
              {answer.key === chosen && <span class="answer__chosen">{t("your answer")}</span>}
              {answer.help && <span class="answer__help">{answer.help}</span>}
            </span>
          </button>
        ))}
      </div>
    </section>
  );
}
