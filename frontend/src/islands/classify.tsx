/** The page on which a volunteer answers, by mouse, touch or keyboard. */
import { useState } from "preact/hooks";
import { Asking } from "../classify/Asking";
import { Ending } from "../classify/Ending";
import { FeedbackNotice } from "../classify/FeedbackNotice";
import { Grid } from "../classify/Grid";
import { Help } from "../classify/Help";
import { Standing } from "../classify/Standing";
import { useCharacterKeys } from "../classify/useCharacterKeys";
import { useKeys } from "../classify/useKeys";
import { type Addresses, useVotes } from "../classify/useVotes";
import { asked, isOffline } from "../lib/classifying";
import { mount } from "../lib/island";
import { pageCommandOf } from "../lib/keys";
import type { Tree } from "../lib/tree";

interface Props {
  question: { version: number; tree: Tree };
  addresses: Addresses & { campaign: string };
}

function Classify({ question: { tree, version }, addresses }: Props) {
  const [state, dispatch] = useVotes(tree, version, addresses);
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const item = state.end ? undefined : state.queue[0];
  const [hearsCharacters, setHearsCharacters] = useCharacterKeys();
  const work = {
    state,
    dispatch,
    hearsKeys: !isHelpOpen,
    hearsCharacters,
    onHelp: () => setIsHelpOpen(true),
  };

  useKeys(hearsCharacters, (press) => {
    const command = pageCommandOf(press);
    if (command === "help") setIsHelpOpen(!isHelpOpen);
    if (command === "dismiss" && !isHelpOpen) dispatch({ type: "feedback_closed" });
  });

  return (
    <div
      class={hearsCharacters ? "classify" : "classify classify--no-characters"}
      data-answered={state.answered}
      data-unsent={state.unsent.length}
    >
      <p class="visually-hidden" role="status">
        {state.said}
      </p>
      {state.feedback && (
        <FeedbackNotice
          feedback={state.feedback}
          onClose={() => dispatch({ type: "feedback_closed" })}
        />
      )}
      {!state.end && <Standing state={state} />}
      {state.end && (
        <Ending
          end={state.end}
          answered={state.answered}
          detail={state.notice}
          campaign={addresses.campaign}
        />
      )}
      {!state.end && !item && !isOffline(state) && (
        <p class="classify__wait muted">Fetching the next pictures …</p>
      )}
      {item?.kind === "grid" && <Grid key={item.id} item={item} {...work} />}
      {item && item.kind !== "grid" && <Asking item={item} {...work} />}
      <Help
        tree={tree}
        help={asked(state)?.help}
        isGrid={item?.kind === "grid"}
        isOpen={isHelpOpen}
        hearsCharacters={hearsCharacters}
        onHearsCharacters={setHearsCharacters}
        onClose={() => setIsHelpOpen(false)}
      />
    </div>
  );
}

mount("classify", Classify);
