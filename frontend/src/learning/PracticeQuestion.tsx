/** One answer to try; nothing is sent. */
import { useState } from "preact/hooks";
import { useKeys } from "../classify/useKeys";
import { commandOf } from "../lib/keys";
import { type Answer, questionAt, type Tree } from "../lib/tree";
import { t } from "../lib/words";
import { practiceWords, type Tutorial } from "./lessons";
import { PracticeWords } from "./PracticeWords";
import { Picture } from "./Steps";

interface Props {
  question: Tutorial["question"];
  tree: Tree;
  hearsCharacters: boolean;
}

export function PracticeQuestion({ question, tree, hearsCharacters }: Props) {
  const [path, setPath] = useState<string[]>([]);
  const [given, setGiven] = useState<Answer | null>(null);
  const asked = questionAt(tree, path, "subject");
  const choose = (answer: Answer) => {
    if (answer.next) setPath([...path, answer.key]);
    else setGiven(answer);
  };
  useKeys(hearsCharacters, (press) => {
    const command = commandOf(press);
    const answer = command?.do === "answer" ? asked.answers[command.index] : undefined;
    if (answer) choose(answer);
    if (command?.do === "back") setPath(path.slice(0, -1));
  });
  return (
    <div class="practice">
      {question && <Picture example={question.picture} />}
      <div class="practice__side">
        <h3>{asked.text}</h3>
        <p class="muted small">{t("Try it: press an answer or its number. This is not sent.")}</p>
        <div class="practice__answers">
          {asked.answers.map((answer, index) => (
            <button
              key={answer.key}
              class="answer"
              type="button"
              aria-pressed={given?.key === answer.key}
              aria-keyshortcuts={String(index + 1)}
              onClick={() => choose(answer)}
            >
              <span class="key" aria-hidden="true">
                {index + 1}
              </span>
              <span class="answer__label">{answer.label}</span>
            </button>
          ))}
        </div>
      </div>
      <PracticeWords words={given ? practiceWords(tree, given, question?.answer ?? null) : ""} />
    </div>
  );
}
