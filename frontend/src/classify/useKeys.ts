/** Listens to the keyboard of the whole page, wherever the focus is. */
import { useEffect, useRef } from "preact/hooks";
import { isCharacter, isForAField } from "../lib/keys";

export function useKeys(hearsCharacters: boolean, onPress: (press: KeyboardEvent) => void): void {
  const newest = useRef(onPress);
  newest.current = onPress;
  useEffect(() => {
    const listen = (press: KeyboardEvent) => {
      if (isForAField(press) || (isCharacter(press) && !hearsCharacters)) return;
      newest.current(press);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [hearsCharacters]);
}
