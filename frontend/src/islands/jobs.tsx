/** Keeps the bars of jobs at work up to date; a finished job's page is loaded once more. */
import { get } from "../lib/api";
import { inWordsOf } from "../lib/catalogues";
import { delayAfter, type JobEvent, lineOf, spokenOf } from "../lib/jobProgress";
import { t } from "../lib/words";

const status = document.createElement("p");
status.className = "visually-hidden";
status.setAttribute("role", "status");
document.querySelector("main")?.append(status);

inWordsOf(document.documentElement.lang, () => {
  for (const place of document.querySelectorAll<HTMLElement>('[data-island="jobs"]')) {
    const address = place.dataset.address;
    if (address) follow(place, address);
  }
});

async function follow(place: HTMLElement, address: string): Promise<void> {
  let before: JobEvent | null = null;
  let failures = 0;
  for (;;) {
    await visible();
    await new Promise((resolve) => setTimeout(resolve, delayAfter(failures)));
    try {
      const job: JobEvent = await get<JobEvent>(address);
      failures = 0;
      if (job.is_finished) {
        location.reload();
        return;
      }
      show(place, job);
      if (before) status.textContent = spokenOf(before, job) || status.textContent;
      before = job;
    } catch {
      failures += 1;
      lineIn(place).textContent = t("The server does not answer just now; trying again.");
    }
  }
}

function show(place: HTMLElement, job: JobEvent): void {
  const bar = place.querySelector("progress");
  if (bar && job.percent !== null) bar.value = job.percent;
  lineIn(place).textContent = lineOf(job);
}

function lineIn(place: HTMLElement): HTMLElement {
  return place.querySelector("p") ?? place;
}

/** A tab in the background asks nothing. */
function visible(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", () => resolve(), { once: true });
  });
}
