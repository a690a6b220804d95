/** Whether single characters are heard as answers: a choice of whoever speaks to the computer. */
import { useState } from "preact/hooks";
import { browserStorage } from "../lib/shelf";

const NAME = "protozoo.character-keys";

export function useCharacterKeys(): [boolean, (areHeard: boolean) => void] {
  const [areHeard, setAreHeard] = useState(() => browserStorage()?.getItem(NAME) !== "off");
  const choose = (wanted: boolean) => {
    setAreHeard(wanted);
    try {
      browserStorage()?.setItem(NAME, wanted ? "on" : "off");
    } catch {
      // A full storage: the choice lasts until the page is left.
    }
  };
  return [areHeard, choose];
}
