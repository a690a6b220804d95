/** What lies open beside the item: opened by a tool, gone with the item, and the focus given back. */
import { useEffect, useState } from "preact/hooks";

export type PanelName = "remarks" | "where";

export function usePanel(turn: string): [PanelName | null, (name: PanelName) => void, () => void] {
  const [panel, setPanel] = useState<PanelName | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was open goes with its item.
  useEffect(() => {
    if (isFocusInside()) document.getElementById("question")?.focus({ preventScroll: true });
    setPanel(null);
  }, [turn]);
  const close = () => {
    if (isFocusInside()) document.getElementById(`tool-${panel}`)?.focus();
    setPanel(null);
  };
  const toggle = (name: PanelName) => (name === panel ? close() : setPanel(name));
  return [panel, toggle, close];
}

function isFocusInside(): boolean {
  return !!document.activeElement?.closest(".panel");
}
