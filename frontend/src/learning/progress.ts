/** How far this browser's volunteer has come in the tutorial of a campaign; kept with or without an account. */

export interface Progress {
  step: number;
  /** "open": it was on the page when that was left; "left": skipped; "done": seen to its end. */
  state: "open" | "left" | "done";
}

const STATES = ["open", "left", "done"];

export function progressOf(storage: Storage | null, campaign: string): Progress | null {
  try {
    const found = JSON.parse(storage?.getItem(nameOf(campaign)) ?? "null");
    const isSound = Number.isInteger(found?.step) && found.step >= 0;
    return isSound && STATES.includes(found.state)
      ? { step: found.step, state: found.state }
      : null;
  } catch {
    return null;
  }
}

/** Whether the tutorial opens by itself: on the first visit, and where a reload has cut it off. */
export function opensAtOnce(storage: Storage | null, campaign: string): boolean {
  // Without a memory it would open on every visit.
  if (!storage) return false;
  const progress = progressOf(storage, campaign);
  return progress === null || progress.state === "open";
}

/** The step to go on with: where it was left, or the first once all have been seen. */
export function stepToResume(progress: Progress | null): number {
  return progress && progress.state !== "done" ? progress.step : 0;
}

export function keepProgress(storage: Storage | null, campaign: string, progress: Progress): void {
  try {
    storage?.setItem(nameOf(campaign), JSON.stringify(progress));
  } catch {
    // A full storage: the tutorial begins anew at the next visit.
  }
}

export function tutorialStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function nameOf(campaign: string): string {
  return `protozoo.tutorial.${campaign}`;
}
