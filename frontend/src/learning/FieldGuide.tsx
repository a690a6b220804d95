/** What each answer means and looks like, beside the question or, on a phone, below it. */
import { useEffect, useRef } from "preact/hooks";
import type { Tree } from "../lib/tree";
import { t } from "../lib/words";
import { entriesOf, type Guide } from "./lessons";

interface Props {
  tree: Tree;
  guide: Guide | null;
  /** The answer to begin with. */
  entry: string | null;
  onClose: () => void;
}

export function FieldGuide({ tree, guide, entry, onClose }: Props) {
  const panel = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const wanted = entry ? panel.current?.querySelector(`[data-entry="${entry}"]`) : null;
    wanted?.scrollIntoView({ block: "start" });
    heading.current?.focus({ preventScroll: true });
  }, [entry]);
  return (
    <aside class="field-guide" id="field-guide" ref={panel} aria-labelledby="field-guide-title">
      <div class="field-guide__head">
        <h2 id="field-guide-title" ref={heading} tabIndex={-1}>
          {t("Field guide")}
        </h2>
        <button class="button" type="button" onClick={onClose}>
          {t("Close")}
        </button>
      </div>
      {entriesOf(tree, guide).map(({ answer, number, examples }) => (
        <section
          key={answer.key}
          class={
            answer.key === entry
              ? "field-guide__entry field-guide__entry--wanted"
              : "field-guide__entry"
          }
          data-entry={answer.key}
        >
          <h3>
            <span class={`badge badge--class-${number}`}>{answer.label}</span>
          </h3>
          {answer.help && <p>{answer.help}</p>}
          {examples.length > 0 && (
            <div class="field-guide__pictures">
              {examples.map(({ url, alt }) => (
                <img key={url} src={url} alt={alt} width="192" height="192" loading="lazy" />
              ))}
            </div>
          )}
        </section>
      ))}
    </aside>
  );
}
