/** What the answers mean, and the keys; opened by `?`. */
import { useEffect, useRef } from "preact/hooks";
import { leaves, type Tree } from "../lib/tree";

interface Props {
  tree: Tree;
  help: string | undefined;
  isOpen: boolean;
  onClose: () => void;
}

const KEYS: [string, string][] = [
  ["1 – 9", "choose an answer"],
  ["↑ ↓", "move between the answers"],
  ["Enter", "choose the marked answer"],
  ["Backspace", "back to the question before"],
  ["?", "open or close this help"],
  ["Esc", "close this help"],
];

export function Help({ tree, help, isOpen, onClose }: Props) {
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
      {help && <p>{help}</p>}
      <dl class="help__words">
        {leaves(tree).map((answer) => (
          <div key={answer.key}>
            <dt>{answer.label}</dt>
            <dd>{answer.help}</dd>
          </div>
        ))}
      </dl>
      <h3>Keys</h3>
      <dl class="help__keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
