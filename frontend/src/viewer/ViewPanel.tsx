/** The button "View" and what it opens: all that can be changed about how pictures are shown. */
import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { bandChoices, bandsDrawn, type Look, USUAL_LOOK } from "../lib/brightness";
import { COLORMAPS } from "../lib/colormaps";
import { STRETCHES } from "../lib/stretch";
import { START, TURN_STEP_RAD, ZOOM_STEP } from "../lib/viewing";
import { t } from "../lib/words";
import { LimitControls } from "./LimitControls";
import { usePixels } from "./usePixels";
import type { Viewing } from "./useViewing";
import type { Picture } from "./Viewer";
import { angleWordsOf, bandsWords, colormapWords, stretchWords, zoomWords } from "./viewWords";

interface Props {
  /** Whose values the limits are told in. */
  picture: Picture;
  viewing: Viewing;
}

export function ViewPanel({ picture, viewing }: Props) {
  const { isOpen, setIsOpen, said } = viewing;
  return (
    <div class="view">
      <button
        class="button view__button"
        type="button"
        aria-expanded={isOpen}
        aria-keyshortcuts="v"
        onClick={() => setIsOpen(!isOpen)}
      >
        {t("View")}{" "}
        <span class="key" aria-hidden="true">
          v
        </span>
      </button>
      <p class="visually-hidden" role="status">
        {said}
      </p>
      {isOpen && <Panel picture={picture} viewing={viewing} onClose={() => setIsOpen(false)} />}
    </div>
  );
}

function Panel({ picture, viewing, onClose }: Props & { onClose: () => void }) {
  const { look, pose, n_bands, setLook, setPose, obey, isNew } = viewing;
  const { pixels } = usePixels(picture.pixels_url);
  const panel = useRef<HTMLElement>(null);
  // Above all else on the page, also what sticks to its edges.
  useLayoutEffect(() => panel.current?.showPopover?.(), []);
  useFocusLent(panel, isNew);
  const change = (changed: Partial<Look>) => setLook({ ...look, ...changed });
  const reset = () => {
    setLook(USUAL_LOOK);
    setPose(() => START);
  };
  return (
    <section
      class="view__panel"
      popover="manual"
      ref={panel}
      aria-label={t("How pictures are shown")}
      onKeyDown={(press) => closeBy(press, onClose)}
    >
      <div class="view__head">
        <p class="view__title">{t("View")}</p>
        <button class="button button--quiet" type="button" onClick={reset}>
          {t("Reset all")}
        </button>
        <button class="button" type="button" onClick={onClose}>
          {t("Close")}
        </button>
      </div>
      <Choices
        name={t("Stretch")}
        choices={STRETCHES}
        chosen={look.stretch}
        words={stretchWords}
        onChoose={(stretch) => change({ stretch })}
      />
      <LimitControls pixels={pixels} look={look} onChange={setLook} />
      <Choices
        name={t("Colors")}
        choices={COLORMAPS}
        chosen={look.colormap}
        words={colormapWords}
        onChoose={(colormap) => change({ colormap })}
      >
        <button
          class="button view__invert"
          type="button"
          aria-pressed={look.isInverted}
          aria-keyshortcuts="i"
          onClick={() => change({ isInverted: !look.isInverted })}
        >
          {t("Invert")}
        </button>
      </Choices>
      {n_bands > 1 && (
        <Choices
          name={t("Bands")}
          choices={bandChoices(n_bands)}
          chosen={bandsDrawn(look.bands, n_bands)}
          words={(bands) => bandsWords(bands, n_bands)}
          onChoose={(bands) => change({ bands })}
        />
      )}
      <div class="view__steps">
        <Steps
          name={t("Zoom")}
          value={zoomWords(pose.zoom)}
          less={["−", t("Smaller")]}
          more={["+", t("Larger")]}
          onLess={() => obey({ do: "zoom", factor: 1 / ZOOM_STEP })}
          onMore={() => obey({ do: "zoom", factor: ZOOM_STEP })}
        />
        <Steps
          name={t("Turn")}
          value={angleWordsOf(pose.rotation_rad)}
          less={["↺", t("Turn to the left")]}
          more={["↻", t("Turn to the right")]}
          onLess={() => obey({ do: "rotate", by_rad: TURN_STEP_RAD })}
          onMore={() => obey({ do: "rotate", by_rad: -TURN_STEP_RAD })}
        />
      </div>
    </section>
  );
}

/** Moves the focus into what has been opened, and back to where it was when that closes. */
function useFocusLent(panel: RefObject<HTMLElement | null>, isNew: boolean): void {
  useLayoutEffect(() => {
    const before = document.activeElement;
    if (!isNew) return;
    const opened = panel.current;
    opened?.querySelector("button")?.focus();
    return () => {
      if (opened?.contains(document.activeElement) && before instanceof HTMLElement) before.focus();
    };
  }, [panel, isNew]);
}

interface ChoicesProps<Choice> {
  name: string;
  choices: readonly Choice[];
  chosen: Choice;
  words: (choice: Choice) => string;
  onChoose: (choice: Choice) => void;
  children?: ComponentChildren;
}

function Choices<Choice extends string | number>(props: ChoicesProps<Choice>) {
  const { name, choices, chosen, words, onChoose, children } = props;
  return (
    <fieldset class="view__choices">
      <legend>{name}</legend>
      <div class="segments">
        {choices.map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={choice === chosen}
            onClick={() => onChoose(choice)}
          >
            {words(choice)}
          </button>
        ))}
      </div>
      {children}
    </fieldset>
  );
}

interface StepsProps {
  name: string;
  value: string;
  /** What stands on the button, and what it is called. */
  less: [string, string];
  more: [string, string];
  onLess: () => void;
  onMore: () => void;
}

function Steps({ name, value, less, more, onLess, onMore }: StepsProps) {
  return (
    <fieldset class="view__choices">
      <legend>{name}</legend>
      <button class="button" type="button" aria-label={less[1]} onClick={onLess}>
        {less[0]}
      </button>
      <output class="view__value">{value}</output>
      <button class="button" type="button" aria-label={more[1]} onClick={onMore}>
        {more[0]}
      </button>
    </fieldset>
  );
}

/** Escape closes the panel and nothing else. */
function closeBy(press: KeyboardEvent, onClose: () => void): void {
  if (press.key !== "Escape") return;
  press.stopPropagation();
  onClose();
}
