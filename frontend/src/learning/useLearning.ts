/** Opens and closes the tutorial and the field guide, and fetches their pictures when needed. */
import { useEffect, useState } from "preact/hooks";
import { get } from "../lib/api";
import type { Guide } from "./lessons";
import { keepProgress, opensAtOnce, progressOf, stepToResume, tutorialStorage } from "./progress";

export interface GuideProps {
  /** The campaign's slug. */
  campaign: string;
  address: string;
}

export interface Learning {
  guide: Guide | null;
  /** The step shown; null while the tutorial is closed. */
  step: number | null;
  onStep: (step: number) => void;
  onTutorial: () => void;
  onLeave: (state: "left" | "done") => void;
  isGuideOpen: boolean;
  /** The answer that the field guide is opened at. */
  entry: string | null;
  /** Open the field guide at an answer. */
  onGuideAt: (entry: string) => void;
  onGuideToggle: () => void;
}

export function useLearning({ campaign, address }: GuideProps): Learning {
  const storage = tutorialStorage();
  const [step, setStep] = useState<number | null>(() =>
    opensAtOnce(storage, campaign) ? stepToResume(progressOf(storage, campaign)) : null,
  );
  const [shown, setShown] = useState<{ entry: string | null } | null>(null);
  const guide = useGuide(address, step !== null || shown !== null);
  const onStep = (wanted: number) => {
    keepProgress(storage, campaign, { step: wanted, state: "open" });
    setStep(wanted);
  };
  return {
    guide,
    step,
    onStep,
    onTutorial: () => onStep(stepToResume(progressOf(storage, campaign))),
    onLeave: (state) => {
      keepProgress(storage, campaign, { step: step ?? 0, state });
      setStep(null);
    },
    isGuideOpen: shown !== null,
    entry: shown?.entry ?? null,
    onGuideAt: (wanted) => setShown({ entry: wanted }),
    onGuideToggle: () => setShown(shown ? null : { entry: null }),
  };
}

/** The pictures; without a network there are words alone, and the next opening tries again. */
function useGuide(address: string, isWanted: boolean): Guide | null {
  const [guide, setGuide] = useState<Guide | null>(null);
  const isMissing = guide === null;
  useEffect(() => {
    if (isWanted && isMissing) get<Guide>(address).then(setGuide, () => undefined);
  }, [address, isWanted, isMissing]);
  return guide;
}
