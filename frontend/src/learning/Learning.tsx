/** The tutorial and the field guide on the page on which volunteers answer. */
import { useEffect, useRef } from "preact/hooks";
import { PAGE_KEYS } from "../lib/keys";
import type { Tree } from "../lib/tree";
import { FieldGuide } from "./FieldGuide";
import { Tutorial } from "./Tutorial";
import type { Learning as State } from "./useLearning";

interface Props {
  learning: State;
  tree: Tree;
  hearsCharacters: boolean;
}

export function Learning({ learning, tree, hearsCharacters }: Props) {
  const { isGuideOpen, entry, guide, onGuideToggle } = learning;
  useGuideLink(isGuideOpen, onGuideToggle);
  return (
    <>
      <Tutorial learning={learning} tree={tree} hearsCharacters={hearsCharacters} />
      {isGuideOpen && (
        <FieldGuide tree={tree} guide={guide} entry={entry} onClose={onGuideToggle} />
      )}
    </>
  );
}

/** Makes the page's link to the field guide a button that opens it here. */
function useGuideLink(isOpen: boolean, onToggle: () => void): void {
  const link = useRef<HTMLElement | null>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    link.current = document.querySelector<HTMLElement>("[data-field-guide]");
    link.current?.setAttribute("role", "button");
    link.current?.setAttribute("aria-keyshortcuts", PAGE_KEYS.guide);
  }, []);
  useEffect(() => {
    link.current?.setAttribute("aria-expanded", String(isOpen));
    // What had the focus in the field guide has left the page with it.
    if (wasOpen.current && document.activeElement === document.body) link.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  useEffect(() => {
    const button = link.current;
    const toggle = (event: Event) => {
      if (event instanceof KeyboardEvent && event.key !== " ") return;
      event.preventDefault();
      onToggle();
    };
    button?.addEventListener("click", toggle);
    button?.addEventListener("keydown", toggle);
    return () => {
      button?.removeEventListener("click", toggle);
      button?.removeEventListener("keydown", toggle);
    };
  }, [onToggle]);
}
