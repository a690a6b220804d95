/** What the answers mean, and the keys; opened by `?`. */
import { useEffect, useRef } from "preact/hooks";
import { leaves, type Tree } from "../lib/tree";

interface Props {
  tree: Tree;
  help: string | undefined;
  /** The item shown is a grid, not a question. */
  isGrid: boolean;
  isOpen: boolean;
  hearsCharacters: boolean;
  onHearsCharacters: (areHeard: boolean) => void;
  onClose: () => void;
}

type Keys = [string, string][];

const KEYS: Keys = [
  ["1 – 9", "choose an answer"],
  ["↑ ↓", "move between the answers"],
  ["Enter", "choose the marked answer"],
  ["Backspace", "back to the question before"],
];

const GRID_KEYS: Keys = [
  ["1 – 9, a – g", "tick a picture, or take its tick back"],
  ["↑ ↓ ← →", "move between the pictures"],
  ["Space", "tick the marked picture"],
  ["Enter", "send: the ticked do not belong; without a tick, all belong"],
  ["m", "too mixed to say"],
  ["z", "undo the last tick"],
  ["x", "take all ticks back"],
];

const PAGE_KEYS: Keys = [
  ["?", "open or close this help"],
  ["Esc", "close this help or a notice"],
];

const GRID_HELP =
  "A computer found these pictures alike and turned them the same way, and people have said what the group looks like. Some may not belong: tick those, and send. If hardly any two are alike, say that it is too mixed. Go with your first impression; others look at the same group.";

export function Help(props: Props) {
  const { tree, help, isGrid, isOpen, hearsCharacters, onHearsCharacters, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog class="help" ref={dialog} aria-labelledby="help-title" onClose={onClose}>
      <div class="section__head">
        <h2 id="help-title">What the answers mean</h2>
        <button class="button" type="button" onClick={onClose}>
          Close
        </button>
      </div>
      {isGrid ? <p>{GRID_HELP}</p> : help && <p>{help}</p>}
      <dl class="help__words">
        {leaves(tree).map((answer) => (
          <div key={answer.key}>
            <dt>{answer.label}</dt>
            <dd>{answer.help}</dd>
          </div>
        ))}
      </dl>
      <h3>Keys</h3>
      <KeyList keys={isGrid ? [...GRID_KEYS, ...PAGE_KEYS] : [...KEYS, ...PAGE_KEYS]} />
      <h3>{isGrid ? "Keys for a question" : "Keys for a grid of pictures"}</h3>
      <KeyList keys={isGrid ? KEYS : GRID_KEYS} />
      <label class="help__choice">
        <input
          type="checkbox"
          checked={hearsCharacters}
          onChange={(event) => onHearsCharacters(event.currentTarget.checked)}
        />
        <span>
          Single digits, letters and ? are keys. Switch this off if you speak to your computer.
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
