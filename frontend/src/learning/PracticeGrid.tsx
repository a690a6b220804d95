/** A small grid to try: one picture comes from another group; nothing is sent. */
import { useState } from "preact/hooks";
import { useKeys } from "../classify/useKeys";
import { gridCommandOf } from "../lib/keys";
import { t } from "../lib/words";
import { gridWords, type Tutorial } from "./lessons";
import { PracticeWords } from "./PracticeWords";

interface Props {
  grid: Tutorial["grid"];
  hearsCharacters: boolean;
}

export function PracticeGrid({ grid, hearsCharacters }: Props) {
  const [ticked, setTicked] = useState<readonly number[]>([]);
  const toggle = (place: number) =>
    setTicked(ticked.includes(place) ? ticked.filter((one) => one !== place) : [...ticked, place]);
  useKeys(hearsCharacters, (press) => {
    const command = gridCommandOf(press);
    if (command?.do === "tick" && command.place < (grid?.members.length ?? 0)) {
      toggle(command.place);
    }
  });
  return (
    <div class="practice">
      <p>
        {t(
          "Often you see members of one group side by side, all turned the same way. Tick what does not belong, then send. If all belong, send without a tick.",
        )}
      </p>
      {grid && (
        <>
          <p class="muted small">
            {t("Try it: one of these comes from another group. This is not sent.")}
          </p>
          <div class="practice__tiles">
            {grid.members.map(({ url, alt }, place) => (
              <button
                key={url}
                class="practice__tile"
                type="button"
                aria-pressed={ticked.includes(place)}
                aria-keyshortcuts={String(place + 1)}
                onClick={() => toggle(place)}
              >
                <img src={url} alt={alt} width="192" height="192" draggable={false} />
                <span class="practice__key" aria-hidden="true">
                  {place + 1}
                </span>
              </button>
            ))}
          </div>
          <PracticeWords words={gridWords(ticked, grid.odd)} />
        </>
      )}
    </div>
  );
}
