/** A group's prototype beside a grid of its members, of which one ticks those that do not belong. */
import { useRef, useState } from "preact/hooks";
import type { Event, Item, State } from "../lib/classifying";
import { callingParts, columnsOf, type Direction, neighbor, type Verdict } from "../lib/grid";
import { gridCommandOf } from "../lib/keys";
import { leafOf } from "../lib/tree";
import { randomUuid } from "../lib/uuid";
import { t } from "../lib/words";
import { useViewing } from "../viewer/useViewing";
import { Viewer } from "../viewer/Viewer";
import { ViewPanel } from "../viewer/ViewPanel";
import { BrokenPicture } from "./BrokenPicture";
import { Sending } from "./Sending";
import { Tile } from "./Tile";
import { useFocusKept } from "./useFocusKept";
import { useKeys } from "./useKeys";
import { usePictures } from "./usePictures";
import { useReady } from "./useReady";

interface Props {
  state: State;
  item: Item;
  dispatch: (event: Event) => void;
  hearsKeys: boolean;
  hearsCharacters: boolean;
  onHelp: () => void;
}

export function Grid(props: Props) {
  const { state, item, dispatch, hearsKeys, hearsCharacters, onHelp } = props;
  const { ticked } = state.ticks;
  const [current, setCurrent] = useState(0);
  const heading = useRef<HTMLHeadingElement>(null);
  const tiles = useRef<HTMLFieldSetElement>(null);
  const isReady = useReady(state.readyAt);
  useFocusKept(heading, state.answered === 0);
  const pictures = usePictures(
    [item.main, ...item.members].map(({ url }) => url),
    () => dispatch({ type: "shown", item: item.id, now: performance.now() }),
  );
  const [before, after] = callingParts();
  const viewing = useViewing(item.main, { hearsKeys, hearsCharacters });
  const help = leafOf(state.tree, item.label)?.help;

  const toggle = (place: number) => dispatch({ type: "ticked", place, now: performance.now() });
  const undo = () => dispatch({ type: "ticks_undone" });
  const clear = () => dispatch({ type: "ticks_cleared" });
  const send = (verdict: Verdict) =>
    dispatch({
      type: "sorted",
      verdict,
      uuid: randomUuid(),
      now: performance.now(),
      clock: new Date(),
    });

  useKeys(hearsCharacters, (press) => {
    const command = hearsKeys ? gridCommandOf(press) : null;
    if (!command || (command.do === "send" && isForTheFocused(press))) return;
    press.preventDefault();
    if (command.do === "tick") toggle(command.place);
    if (command.do === "move") moveFocus(tiles.current, command.to);
    if (command.do === "undo") undo();
    if (command.do === "clear") clear();
    if (command.do === "too_mixed") send("too_mixed");
    if (command.do === "send") send("sorted");
  });

  return (
    <div class="sorting">
      <section class="group" aria-labelledby="question">
        <figure class="picture picture--chart group__picture">
          <Viewer
            picture={item.main}
            viewing={viewing}
            isLarge
            tries={pictures.tries}
            onShown={() => pictures.arrived(item.main.url)}
            onBroken={pictures.failed}
          />
        </figure>
        <div class="group__words">
          <h2 id="question" ref={heading} tabIndex={-1}>
            <span>
              {before}
              <strong>{item.label_title}</strong>
              {after}
            </span>{" "}
            <span>{t("Tick the ones that are not.")}</span>
          </h2>
          {help && <p class="group__help">{help}</p>}
        </div>
        <ViewPanel picture={item.main} viewing={viewing} />
        <button class="button button--quiet group__button" type="button" onClick={onHelp}>
          {t("Help")}{" "}
          <span class="key" aria-hidden="true">
            ?
          </span>
        </button>
      </section>
      <section
        class={`sorter ${shapeOf(item.members.length)}`}
        aria-label={t("The members of the group")}
      >
        <fieldset class="tiles" ref={tiles} data-ready={isReady ? item.id : undefined}>
          <legend class="visually-hidden">
            {t("Tick those that are not {group}", { group: item.label_title ?? "" })}
          </legend>
          {item.members.map((member, place) => (
            <Tile
              key={member.url}
              picture={member}
              place={place}
              isTicked={ticked.includes(place)}
              isReady={isReady}
              isCurrent={place === current}
              pictures={pictures}
              viewing={viewing}
              onToggle={() => toggle(place)}
              onFocus={() => setCurrent(place)}
            />
          ))}
        </fieldset>
        <Sending
          n_ticked={ticked.length}
          canUndo={state.ticks.before.length > 0}
          isReady={isReady}
          wasMixed={state.changing?.last.vote.grid?.verdict === "too_mixed"}
          onUndo={undo}
          onClear={clear}
          onSend={send}
        />
        {pictures.isBroken && (
          <BrokenPicture
            onAgain={pictures.again}
            onPassOver={() => dispatch({ type: "skipped", item: item.id, uuid: randomUuid() })}
          />
        )}
      </section>
    </div>
  );
}

/** The style for so many members: three by three, three rows of four, or four. */
function shapeOf(count: number): string {
  if (count <= 9) return "sorter--three";
  return count <= 12 ? "sorter--low" : "sorter--square";
}

/** Whether Enter is meant for a button or link that has the focus, and not for the grid. */
function isForTheFocused(press: KeyboardEvent): boolean {
  const focused = press.target instanceof Element ? press.target.closest("a, button, input") : null;
  return focused !== null && !focused.classList.contains("tile");
}

function moveFocus(list: HTMLElement | null, to: Direction): void {
  const tiles = [...(list?.querySelectorAll<HTMLElement>(".tile") ?? [])];
  const place = tiles.indexOf(document.activeElement as HTMLElement);
  const columns = columnsOf(tiles.map((tile) => tile.offsetTop));
  tiles[neighbor(place, to, columns, tiles.length)]?.focus();
}
