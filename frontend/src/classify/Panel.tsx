/** Something small that opens over the pictures, takes the focus and gives it back. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/words";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Panel({ title, onClose, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <section class="panel" aria-labelledby="panel-title">
      <div class="panel__head">
        <h2 id="panel-title" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button class="button button--quiet" type="button" onClick={onClose}>
          {t("Close")}
        </button>
      </div>
      {children}
    </section>
  );
}
