/** What the answers mean, and the keys; opened by `?`. */
import { useEffect, useRef } from "preact/hooks";
import { PAGE_KEYS } from "../lib/keys";
import { leaves, rolesOf, type Tree } from "../lib/tree";
import { t } from "../lib/words";
import { viewKeys } from "../viewer/viewWords";

interface Props {
  tree: Tree;
  help: string | undefined;
  /** The item shown is a grid, not a question. */
  isGrid: boolean;
  isOpen: boolean;
  hearsCharacters: boolean;
  onHearsCharacters: (areHeard: boolean) => void;
  onTutorial: () => void;
  onClose: () => void;
}

type Keys = [string, string][];

function questionKeys(tree: Tree): Keys {
  const marks: Keys = rolesOf(tree).length ? [["p", t("mark places in the picture")]] : [];
  return [
    ["1 – 9", t("choose an answer")],
    ["↑ ↓", t("move between the answers")],
    ["Enter", t("choose the marked answer")],
    ["Backspace", t("back to the question before")],
    ...marks,
  ];
}

function markKeys(tree: Tree): Keys {
  const { length } = rolesOf(tree);
  return [
    [length > 1 ? `1 – ${length}` : "1", t("choose what to mark")],
    ["↑ ↓ ← →", t("move the crosshair, or the chosen mark; with Shift faster")],
    ["Enter", t("mark the place under the crosshair, or one corner of a box")],
    ["n", t("choose the next of your marks")],
    [t("Del"), t("delete the chosen mark")],
    ["z", t("undo")],
    ["p", t("done with marking")],
  ];
}

function gridKeys(): Keys {
  return [
    ["1 – 9, a – g", t("tick a picture, or take its tick back")],
    ["↑ ↓ ← →", t("move between the pictures")],
    [t("Space"), t("tick the marked picture")],
    ["Enter", t("send: the ticked do not belong; without a tick, all belong")],
    ["m", t("too mixed to say")],
    ["z", t("undo the last tick")],
    ["x", t("take all ticks back")],
  ];
}

function pageKeys(): Keys {
  return [
    [PAGE_KEYS.change, t("change your last answer")],
    [PAGE_KEYS.skip, t("skip this one")],
    [PAGE_KEYS.remarks, t("say more: tags, something strange")],
    [PAGE_KEYS.favourite, t("keep it among your favourites, or no longer")],
    [PAGE_KEYS.share, t("share a link to this one")],
    [PAGE_KEYS.where, t("where it is on the sky")],
    [PAGE_KEYS.guide, t("open or close the field guide")],
    [PAGE_KEYS.help, t("open or close this help")],
    ["Esc", t("close what is open, or keep your last answer")],
  ];
}

function gridHelp(): string {
  return t(
    "A computer found these pictures alike and turned them the same way, and people have said what the group looks like. Some may not belong: tick those, and send. If hardly any two are alike, say that it is too mixed. Go with your first impression; others look at the same group.",
  );
}

export function Help(props: Props) {
  const { tree, help, isGrid, isOpen, hearsCharacters, onHearsCharacters } = props;
  const { onTutorial, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog class="help" ref={dialog} aria-labelledby="help-title" onClose={onClose}>
      <div class="section__head">
        <h2 id="help-title">{t("What the answers mean")}</h2>
        <button class="button" type="button" onClick={onClose}>
          {t("Close")}
        </button>
      </div>
      <button class="button help__tutorial" type="button" onClick={onTutorial}>
        {t("Show me the tutorial")}
      </button>
      {isGrid ? <p>{gridHelp()}</p> : help && <p>{help}</p>}
      <dl class="help__words">
        {leaves(tree).map((answer) => (
          <div key={answer.key}>
            <dt>{answer.label}</dt>
            <dd>{answer.help}</dd>
          </div>
        ))}
      </dl>
      <h3>{t("Keys")}</h3>
      <KeyList keys={[...(isGrid ? gridKeys() : questionKeys(tree)), ...pageKeys()]} />
      <h3>{isGrid ? t("Keys for a question") : t("Keys for a grid of pictures")}</h3>
      <KeyList keys={isGrid ? questionKeys(tree) : gridKeys()} />
      <h3>{t("Keys for looking at pictures")}</h3>
      <KeyList keys={viewKeys()} />
      {!isGrid && rolesOf(tree).length > 0 && (
        <>
          <h3>{t("Keys while you mark places")}</h3>
          <KeyList keys={markKeys(tree)} />
        </>
      )}
      <label class="help__choice">
        <input
          type="checkbox"
          checked={hearsCharacters}
          onChange={(event) => onHearsCharacters(event.currentTarget.checked)}
        />
        <span>
          {t(
            "Single digits, letters and ? are keys. Switch this off if you speak to your computer.",
          )}
        </span>
      </label>
    </dialog>
  );
}

function KeyList({ keys }: { keys: Keys }) {
  return (
    <dl class="help__keys">
      {keys.map(([names, what]) => (
        <div key={names}>
          <dt>
            <kbd>{names}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}
