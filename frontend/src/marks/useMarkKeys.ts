/** Keys while places are marked; they come before those of the page and of the viewer. */
import { useEffect, useRef } from "preact/hooks";
import { isCharacter, isForAField } from "../lib/keys";
import { type MarkCommand, markCommandOf } from "../lib/markKeys";
import type { Hearing } from "../viewer/useViewing";

/** `obey` tells whether there was something to do; what it leaves is heard by the page. */
export function useMarkKeys(
  { hearsKeys, hearsCharacters }: Hearing,
  isOpen: boolean,
  obey: (command: MarkCommand) => boolean,
): void {
  const newest = useRef(obey);
  newest.current = obey;
  useEffect(() => {
    if (!isOpen || !hearsKeys) return;
    const listen = (press: KeyboardEvent) => {
      if (isForAField(press) || (isCharacter(press) && !hearsCharacters)) return;
      const command = markCommandOf(press);
      if (!command || (command.do === "put" && isForTheFocused(press))) return;
      if (!newest.current(command)) return;
      press.preventDefault();
      press.stopImmediatePropagation();
    };
    addEventListener("keydown", listen, true);
    return () => removeEventListener("keydown", listen, true);
  }, [isOpen, hearsKeys, hearsCharacters]);
}

/** Whether Enter is meant for a button or link that has the focus. */
function isForTheFocused(press: KeyboardEvent): boolean {
  return press.target instanceof Element && press.target.closest("a, button, summary") !== null;
}
