/** What else can be done with an item than to answer. */
import type { Item } from "../lib/classifying";
import { PAGE_KEYS } from "../lib/keys";
import { isSilent, type Remarks } from "../lib/remarks";
import { placeOf } from "../lib/sky";
import { t } from "../lib/words";
import { Icon } from "./Icon";
import type { PanelName } from "./usePanel";

export type ToolName = "remarks" | "where" | "favourite" | "share" | "skip";

interface Props {
  item: Item;
  remarks: Remarks;
  panel: PanelName | null;
  isChanging: boolean;
  does: Record<ToolName, () => void>;
}

export function Toolbar({ item, remarks, panel, isChanging, does }: Props) {
  const isOpen = (name: ToolName) => ({ id: `tool-${name}`, "aria-expanded": panel === name });
  return (
    <ul class="tools" aria-label={t("More about this one")}>
      <Tool
        name="remarks"
        word={isSilent(remarks) ? t("Say more") : t("Say more (said)")}
        path="M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12h5"
        isOn={!isSilent(remarks)}
        onClick={does.remarks}
        {...isOpen("remarks")}
      />
      {placeOf(item) && (
        <Tool
          name="where"
          word={t("Where is this?")}
          path="M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 1v6M12 17v6M1 12h6M17 12h6"
          onClick={does.where}
          {...isOpen("where")}
        />
      )}
      <Tool
        name="favourite"
        word={t("Favourite")}
        path="M12 20C5 14.5 3 11.5 3 8.5A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 9 1.5c0 3-2 6-9 11.5z"
        isOn={!!item.is_favourite}
        aria-pressed={!!item.is_favourite}
        onClick={does.favourite}
      />
      <Tool
        name="share"
        word={t("Share")}
        path="M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1.5-1.5"
        onClick={does.share}
      />
      {!isChanging && (
        <Tool name="skip" word={t("Skip")} path="M5 5l9 7-9 7zM18 5v14" onClick={does.skip} />
      )}
    </ul>
  );
}

interface ToolProps {
  name: ToolName;
  word: string;
  path: string;
  isOn?: boolean;
  id?: string;
  "aria-expanded"?: boolean;
  "aria-pressed"?: boolean;
  onClick: () => void;
}

function Tool({ name, word, path, isOn, onClick, ...state }: ToolProps) {
  return (
    <li>
      <button
        class={`tool tool--${name} ${isOn ? "tool--on" : ""}`}
        type="button"
        title={`${word} (${PAGE_KEYS[name]})`}
        aria-keyshortcuts={PAGE_KEYS[name]}
        onClick={onClick}
        {...state}
      >
        <Icon path={path} />
        <span class="tool__word">{word}</span>
      </button>
    </li>
  );
}
