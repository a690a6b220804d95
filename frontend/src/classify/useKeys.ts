/** Listens to the keyboard of the whole page, wherever the focus is. */
import { useEffect, useRef } from "preact/hooks";
import { isCharacter } from "../lib/keys";

export function useKeys(hearsCharacters: boolean, onPress: (press: KeyboardEvent) => void): void {
  const newest = useRef(onPress);
  newest.current = onPress;
  useEffect(() => {
    const listen = (press: KeyboardEvent) => {
      if (hearsCharacters || !isCharacter(press)) newest.current(press);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [hearsCharacters]);
}
