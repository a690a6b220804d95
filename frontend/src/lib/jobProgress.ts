/** What a page that follows a job shows, says aloud, and when it asks again. */
import type { components } from "../api/schema";
import { formatCount } from "./format";
import { t } from "./words";

export type JobEvent = Pick<
  components["schemas"]["Job"],
  "state" | "percent" | "progress_done" | "progress_total" | "message" | "is_finished"
>;

/** Screen readers hear of progress in steps of this many percent. */
const SPOKEN_STEP = 25;
const FIRST_DELAY_MS = 1500;
const LONGEST_DELAY_MS = 30_000;

/** The line below the bar. */
export function lineOf(job: JobEvent): string {
  const percent = job.percent === null ? "" : `${job.percent} %`;
  const counted =
    job.progress_total > 0
      ? t("{done} of {total}", {
          done: formatCount(job.progress_done),
          total: formatCount(job.progress_total),
        })
      : "";
  return [percent, counted, job.message].filter(Boolean).join(" · ");
}

/** What a screen reader should hear now that the job has moved on; nothing for small steps. */
export function spokenOf(before: JobEvent | null, now: JobEvent): string {
  if (before?.state !== now.state) return stateSentence(now.state);
  const passed = stepOf(now) > stepOf(before);
  return passed ? t("{percent} percent done.", { percent: now.percent ?? 0 }) : "";
}

function stateSentence(state: JobEvent["state"]): string {
  switch (state) {
    case "queued":
      return t("The job is queued.");
    case "running":
      return t("The job is running.");
    case "done":
      return t("The job is done.");
    case "failed":
      return t("The job is failed.");
    case "cancelled":
      return t("The job is cancelled.");
  }
}

/** Milliseconds until the next question: quick while answers come, slower with each failure. */
export function delayAfter(failures: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
}

function stepOf(job: JobEvent): number {
  return Math.floor((job.percent ?? 0) / SPOKEN_STEP);
}
