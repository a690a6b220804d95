/** The tutorial and the field guide on the page on which volunteers answer. */
import { useEffect, useRef } from "preact/hooks";
import { useKeys } from "../classify/useKeys";
import { guideCommandOf } from "../lib/keys";
import type { Tree } from "../lib/tree";
import { FieldGuide } from "./FieldGuide";
import { Tutorial } from "./Tutorial";
import type { Learning as State } from "./useLearning";

interface Props {
  learning: State;
  tree: Tree;
  hearsKeys: boolean;
  hearsCharacters: boolean;
}

export function Learning({ learning, tree, hearsKeys, hearsCharacters }: Props) {
  const { isGuideOpen, onGuide, onGuideClose } = learning;
  const opener = useGuideLink(learning);
  const close = () => {
    const hasFocus = document.getElementById("field-guide")?.contains(document.activeElement);
    onGuideClose();
    if (hasFocus) opener.current?.focus();
  };
  useKeys(hearsCharacters, (press) => {
    const command = hearsKeys && learning.step === null ? guideCommandOf(press) : null;
    if (command === "guide" && isGuideOpen) close();
    else if (command === "guide") onGuide();
    if (command === "dismiss" && isGuideOpen) close();
  });
  return (
    <>
      <Tutorial learning={learning} tree={tree} hearsCharacters={hearsCharacters} />
      {isGuideOpen && (
        <FieldGuide tree={tree} guide={learning.guide} entry={learning.entry} onClose={close} />
      )}
    </>
  );
}

/** Makes the page's link to the field guide a button that opens it here. */
function useGuideLink({ isGuideOpen, onGuide, onGuideClose }: State) {
  const link = useRef<HTMLElement | null>(null);
  useEffect(() => {
    link.current = document.querySelector<HTMLElement>("[data-field-guide]");
    link.current?.setAttribute("role", "button");
    link.current?.setAttribute("aria-keyshortcuts", "j");
  }, []);
  useEffect(() => {
    const button = link.current;
    if (!button) return;
    button.setAttribute("aria-expanded", String(isGuideOpen));
    const toggle = (event: Event) => {
      if (event instanceof KeyboardEvent && event.key !== " ") return;
      event.preventDefault();
      if (isGuideOpen) onGuideClose();
      else onGuide();
    };
    button.addEventListener("click", toggle);
    button.addEventListener("keydown", toggle);
    return () => {
      button.removeEventListener("click", toggle);
      button.removeEventListener("keydown", toggle);
    };
  }, [isGuideOpen, onGuide, onGuideClose]);
  return link;
}
