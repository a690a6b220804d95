/** How the pictures of one item are looked at: one look and one pose for all of them. */
import { useState } from "preact/hooks";
import { useKeys } from "../classify/useKeys";
import { type Look, USUAL_LOOK } from "../lib/brightness";
import type { Item } from "../lib/classifying";
import { browserStorage } from "../lib/shelf";
import { STRETCHES } from "../lib/stretch";
import {
  dragged,
  following,
  lookFrom,
  nextBands,
  type Pose,
  rotated,
  type Size,
  START,
  type ViewCommand,
  viewCommandOf,
  viewOf,
  zoomed,
} from "../lib/viewing";
import { usePixels } from "./usePixels";
import { lookWords, poseWords } from "./viewWords";

const NAME = "protozoo.look";
const UNIT_FRAME: Size = { width: 1, height: 1 };
const UNKNOWN_SIZE: Size = { width: 64, height: 64 };

/** The panel stays open from item to item. */
let wasOpen = false;

export interface Viewing {
  look: Look;
  pose: Pose;
  /** Of the large picture; it tells what can be chosen. */
  n_bands: number;
  isOpen: boolean;
  /** The panel has been opened while this item was shown, so that focus goes there. */
  isNew: boolean;
  /** For screen readers, after a key. */
  said: string;
  setLook: (look: Look) => void;
  setPose: (change: (pose: Pose) => Pose) => void;
  setIsOpen: (isOpen: boolean) => void;
  obey: (command: ViewCommand) => void;
}

export interface Hearing {
  hearsKeys: boolean;
  hearsCharacters: boolean;
}

/** The look is the one chosen last, on this visit or another; each item starts unturned and whole. */
export function useViewing(
  main: Pick<Item["main"], "pixels_url">,
  { hearsKeys, hearsCharacters }: Hearing,
): Viewing {
  const [look, chooseLook] = useState(() => lookFrom(kept()));
  const [pose, setPose] = useState(START);
  const [{ isOpen, isNew }, setPanel] = useState({ isOpen: wasOpen, isNew: false });
  const [said, setSaid] = useState("");
  const { pixels } = usePixels(main.pixels_url);
  const n_bands = pixels?.bands.length ?? 1;
  const setLook = (chosen: Look) => {
    chooseLook(chosen);
    keep(chosen);
  };
  const setIsOpen = (isWanted: boolean) => {
    wasOpen = isWanted;
    setPanel({ isOpen: isWanted, isNew: isWanted });
  };
  const obey = (command: ViewCommand) => {
    if (command.do === "open") return setIsOpen(!isOpen);
    const isAboutLook = ["invert", "stretch", "band"].includes(command.do);
    if (isAboutLook) {
      const changed = relooked(look, command, n_bands);
      setLook(changed);
      return setSaid(lookWords(command, changed, n_bands));
    }
    const moved = reposed(pose, command, pixels ?? UNKNOWN_SIZE);
    setPose(() => moved);
    setSaid(poseWords(moved));
  };
  useKeys(hearsCharacters, (press) => {
    const command = hearsKeys ? viewCommandOf(press) : null;
    if (!command) return;
    press.preventDefault();
    obey(command);
  });
  return { look, pose, n_bands, isOpen, isNew, said, setLook, setPose, setIsOpen, obey };
}

function relooked(look: Look, command: ViewCommand, n_bands: number): Look {
  if (command.do === "invert") return { ...look, isInverted: !look.isInverted };
  if (command.do === "band") {
    return { ...look, bands: nextBands(look.bands, n_bands, command.by) };
  }
  return { ...look, stretch: following(STRETCHES, look.stretch) };
}

function reposed(pose: Pose, command: ViewCommand, image: Size): Pose {
  if (command.do === "zoom") return zoomed(pose, command.factor, image);
  if (command.do === "rotate") return rotated(pose, command.by_rad, image);
  if (command.do === "pan") {
    return dragged(pose, viewOf(pose, UNIT_FRAME, image), command.right, command.down);
  }
  return START;
}

function kept(): string | null {
  return browserStorage()?.getItem(NAME) ?? null;
}

function keep(look: Look): void {
  try {
    if (look === USUAL_LOOK) browserStorage()?.removeItem(NAME);
    else browserStorage()?.setItem(NAME, JSON.stringify(look));
  } catch {
    // A full storage: the choice lasts until the page is left.
  }
}
