/** Beside a picture that is being marked: the roles, the marks so far, and the way out. */
import { Icon, Key } from "../classify/Icon";
import { extentOf, nameOf } from "../lib/markWords";
import { t } from "../lib/words";
import type { MarkWork } from "./useMarking";

interface Props {
  work: MarkWork;
  onDone: () => void;
  onBack: () => void;
  onHelp: () => void;
}

const UNDO = "M9 5 4 10l5 5M4 10h9a6 6 0 0 1 0 12h-3";
const CROSS = "M5 5l14 14M19 5 5 19";

export function MarkPanel({ work, onDone, onBack, onHelp }: Props) {
  const { state, isReady, act } = work;
  const role = state.roles.find(({ key }) => key === state.role);
  return (
    <section class="answers marking" aria-labelledby="question" data-marking={isReady}>
      <p class="visually-hidden" role="status">
        {state.said}
      </p>
      <div class="answers__head">
        <h2 id="question" tabIndex={-1}>
          {t("Mark what you see")}
        </h2>
        <button class="button button--quiet" type="button" onClick={onBack}>
          {t("Back")}
        </button>
        <button class="button button--quiet answers__help" type="button" onClick={onHelp}>
          {t("Help")} <Key name="?" />
        </button>
      </div>
      <Roles work={work} />
      {role?.help && <p class="marking__help">{role.help}</p>}
      <p class="marking__how small muted">
        {isReady ? (
          <How isBox={role?.shape === "box"} />
        ) : (
          t("Places can be marked once the picture is here.")
        )}
      </p>
      <Marks work={work} />
      <div class="marking__end">
        <button
          class="button"
          type="button"
          aria-disabled={!state.before.length && !state.corner}
          aria-keyshortcuts="z"
          onClick={() => act({ do: "undo" })}
        >
          <Icon path={UNDO} /> {t("Undo")} <Key name="z" />
        </button>
        <button
          class="button button--primary button--large"
          type="button"
          aria-keyshortcuts="p"
          onClick={onDone}
        >
          {state.marks.length ? t("Done") : t("Nothing to mark")} <Key name="p" />
        </button>
      </div>
    </section>
  );
}

function How({ isBox }: { isBox: boolean }) {
  return (
    <>
      {isBox ? t("Drag a box, or tap two corners.") : t("Tap the place.")}{" "}
      <span class="marking__keys">
        {isBox
          ? t("By keyboard: arrows, and Enter for each corner.")
          : t("By keyboard: arrows, and Enter.")}
      </span>
    </>
  );
}

function Roles({ work: { state, act } }: { work: MarkWork }) {
  return (
    <fieldset class="marking__roles">
      <legend class="visually-hidden">{t("What to mark")}</legend>
      {state.roles.map((role, index) => {
        const count = state.marks.filter((mark) => mark.role === role.key).length;
        const sign = role.shape === "box" ? "spot-key--box" : "";
        return (
          <button
            key={role.key}
            class="answer marking__role"
            type="button"
            aria-pressed={role.key === state.role}
            aria-keyshortcuts={String(index + 1)}
            onClick={() => act({ do: "choose", role: role.key })}
          >
            <Key name={String(index + 1)} />
            <span class={`answer__label spot-key spot-key--${index + 1} ${sign}`}>
              {role.label}
            </span>
            <span class="marking__count muted small" aria-hidden="true">
              {count}/{role.most}
            </span>
            <span class="visually-hidden">{t("{n} of {most}", { n: count, most: role.most })}</span>
          </button>
        );
      })}
    </fieldset>
  );
}

function Marks({ work: { state, act } }: { work: MarkWork }) {
  if (!state.marks.length) return null;
  return (
    <ul class="marking__list" aria-label={t("Your marks")}>
      {state.marks.map((mark) => (
        <li key={mark.id}>
          <button
            class="marking__mark"
            type="button"
            aria-pressed={mark.id === state.selected}
            onClick={() => act({ do: "select", id: mark.id === state.selected ? null : mark.id })}
          >
            <strong>{nameOf(state.roles, state.marks, mark)}</strong>
            <span class="marking__extent small">, {extentOf(mark)}</span>
          </button>
          <button class="tool" type="button" onClick={() => act({ do: "delete", id: mark.id })}>
            <span class="visually-hidden">
              {t("Delete {name}", { name: nameOf(state.roles, state.marks, mark) })}
            </span>
            <Icon path={CROSS} />
          </button>
        </li>
      ))}
    </ul>
  );
}
