/** Two minutes for newcomers, with the campaign's own pictures; it can be left and resumed. */
import { useEffect, useRef } from "preact/hooks";
import type { Tree } from "../lib/tree";
import { t } from "../lib/words";
import { STEPS, type StepName } from "./lessons";
import { PracticeGrid } from "./PracticeGrid";
import { PracticeQuestion } from "./PracticeQuestion";
import { GroupStep, KeysStep, OddStep, PictureStep } from "./Steps";
import type { Learning } from "./useLearning";

interface Props {
  learning: Learning;
  tree: Tree;
  hearsCharacters: boolean;
}

export function Tutorial({ learning, tree, hearsCharacters }: Props) {
  const { step, onStep, onLeave } = learning;
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const isOpen = step !== null;
  const place = Math.min(step ?? 0, STEPS.length - 1);
  const name = STEPS[place] ?? "picture";
  const isLast = place === STEPS.length - 1;
  useEffect(() => {
    if (isOpen && !dialog.current?.open) dialog.current?.showModal();
    if (!isOpen) dialog.current?.close();
  }, [isOpen]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: focus follows the step.
  useEffect(() => {
    if (isOpen) heading.current?.focus();
  }, [isOpen, place]);
  return (
    <dialog
      class="tutorial"
      ref={dialog}
      aria-labelledby="tutorial-title"
      onCancel={(event) => {
        event.preventDefault();
        onLeave("left");
      }}
    >
      {isOpen && (
        <>
          <div class="tutorial__head">
            <p class="muted small">{t("Step {n} of {all}", { n: place + 1, all: STEPS.length })}</p>
            <button class="button button--quiet" type="button" onClick={() => onLeave("left")}>
              {t("Skip the tutorial")}
            </button>
          </div>
          <h2 id="tutorial-title" ref={heading} tabIndex={-1}>
            {titleOf(name)}
          </h2>
          <div class="tutorial__body" key={name}>
            <Step name={name} learning={learning} tree={tree} hearsCharacters={hearsCharacters} />
          </div>
          <div class="tutorial__foot">
            {place > 0 && (
              <button class="button" type="button" onClick={() => onStep(place - 1)}>
                {t("Back")}
              </button>
            )}
            <button
              class="button button--primary"
              type="button"
              onClick={() => (isLast ? onLeave("done") : onStep(place + 1))}
            >
              {isLast ? t("Begin") : t("Next")}
            </button>
          </div>
        </>
      )}
    </dialog>
  );
}

function titleOf(name: StepName): string {
  const titles: Record<StepName, string> = {
    picture: t("A small piece of the sky"),
    group: t("Groups of look-alikes"),
    question: t("Say what you see"),
    grid: t("Find the one that does not belong"),
    odd: t("The odd ones out"),
    keys: t("That is all"),
  };
  return titles[name];
}

function Step({ name, learning, tree, hearsCharacters }: Props & { name: StepName }) {
  const told = learning.guide?.tutorial ?? null;
  switch (name) {
    case "picture":
      return <PictureStep picture={told?.question?.picture ?? told?.turning?.group ?? null} />;
    case "group":
      return <GroupStep turning={told?.turning ?? null} />;
    case "question":
      return (
        <PracticeQuestion
          question={told?.question ?? null}
          tree={tree}
          hearsCharacters={hearsCharacters}
        />
      );
    case "grid":
      return <PracticeGrid grid={told?.grid ?? null} hearsCharacters={hearsCharacters} />;
    case "odd":
      return <OddStep picture={told?.outlier ?? null} />;
    case "keys":
      return <KeysStep />;
  }
}
