/** What a volunteer wants to say beside the answer; it goes with the answer that follows. */
import { useState } from "preact/hooks";
import { LONGEST_COMMENT, LONGEST_TAG, type Remarks, tagged, toggledTag } from "../lib/remarks";
import { t } from "../lib/words";
import { Panel } from "./Panel";

interface Props {
  remarks: Remarks;
  suggestedTags: string[];
  onRemarks: (remarks: Remarks) => void;
  onClose: () => void;
}

export function RemarksPanel({ remarks, suggestedTags, onRemarks, onClose }: Props) {
  const [draft, setDraft] = useState("");
  const tags = [...new Set([...suggestedTags, ...remarks.tags])];
  const add = (text: string) => {
    onRemarks(tagged(remarks, text));
    setDraft("");
  };
  return (
    <Panel title={t("Say more")} onClose={onClose}>
      {tags.length > 0 && (
        <fieldset class="tags">
          <legend class="visually-hidden">{t("Tags")}</legend>
          {tags.map((tag) => (
            <button
              key={tag}
              class="tag"
              type="button"
              aria-pressed={remarks.tags.includes(tag)}
              onClick={() => onRemarks(toggledTag(remarks, tag))}
            >
              {tag}
            </button>
          ))}
        </fieldset>
      )}
      <div class="field">
        <label for="remarks-tag">{t("Add a tag of your own")}</label>
        <div class="panel__row">
          <input
            id="remarks-tag"
            value={draft}
            maxLength={LONGEST_TAG}
            autocomplete="off"
            autocapitalize="none"
            enterkeyhint="done"
            onInput={(event) => setDraft(event.currentTarget.value)}
            onChange={(event) => add(event.currentTarget.value)}
          />
          <button class="button" type="button" onClick={() => draft && add(draft)}>
            {t("Add")}
          </button>
        </div>
      </div>
      <div class="field field--check">
        <input
          id="remarks-strange"
          type="checkbox"
          checked={remarks.is_strange}
          onChange={(event) => onRemarks({ ...remarks, is_strange: event.currentTarget.checked })}
        />
        <label for="remarks-strange">{t("This is something strange")}</label>
      </div>
      <div class="field">
        <label for="remarks-comment">{t("In your words (optional)")}</label>
        <textarea
          id="remarks-comment"
          rows={2}
          maxLength={LONGEST_COMMENT}
          value={remarks.comment}
          onInput={(event) => onRemarks({ ...remarks, comment: event.currentTarget.value })}
        />
      </div>
      <p class="field__help">{t("It goes with your answer. You can close this first.")}</p>
    </Panel>
  );
}
