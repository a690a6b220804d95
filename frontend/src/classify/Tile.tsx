/** One member of a grid: a picture that is a button, pressed when it does not belong. */
import type { Item } from "../lib/classifying";
import { TICK_KEYS } from "../lib/grid";
import type { Viewing } from "../viewer/useViewing";
import { Viewer } from "../viewer/Viewer";
import type { Pictures } from "./usePictures";

interface Props {
  picture: Item["main"];
  place: number;
  isTicked: boolean;
  isReady: boolean;
  /** The one tile of the grid that the Tab key leads to; arrows lead to the others. */
  isCurrent: boolean;
  pictures: Pictures;
  viewing: Viewing;
  onToggle: () => void;
  onFocus: () => void;
}

export function Tile(props: Props) {
  const { picture, place, isTicked, isReady, isCurrent, pictures, viewing, onToggle, onFocus } =
    props;
  const key = TICK_KEYS[place];
  return (
    <button
      class="tile"
      type="button"
      aria-pressed={isTicked}
      aria-disabled={!isReady}
      aria-keyshortcuts={key}
      tabIndex={isCurrent ? 0 : -1}
      onClick={onToggle}
      onFocus={onFocus}
      onKeyDown={keepEnterForSending}
    >
      <Viewer
        picture={picture}
        viewing={viewing}
        tries={pictures.tries}
        onShown={() => pictures.arrived(picture.url)}
        onBroken={pictures.failed}
      />
      <span class="tile__key" aria-hidden="true">
        {key}
      </span>
      <span class="tile__tick" aria-hidden="true">
        <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
          <path d="M4 12.5l5.5 5.5L20 7" />
        </svg>
      </span>
    </button>
  );
}

/** Enter sends the grid; the browser would toggle the tile as well. */
function keepEnterForSending(press: KeyboardEvent): void {
  if (press.key === "Enter") press.preventDefault();
}
