/** The page on which a volunteer answers, by mouse, touch or keyboard. */
import { useEffect, useState } from "preact/hooks";
import { Asking } from "../classify/Asking";
import { Ending } from "../classify/Ending";
import { FeedbackNotice } from "../classify/FeedbackNotice";
import { Grid } from "../classify/Grid";
import { Help } from "../classify/Help";
import { Resting } from "../classify/Resting";
import { Standing } from "../classify/Standing";
import { useCharacterKeys } from "../classify/useCharacterKeys";
import { useKeys } from "../classify/useKeys";
import { useLink } from "../classify/useLink";
import { usePanel } from "../classify/usePanel";
import { type Addresses, type Luggage, useVotes } from "../classify/useVotes";
import { Learning } from "../learning/Learning";
import { type GuideProps, useLearning } from "../learning/useLearning";
import { asked, isOffline } from "../lib/classifying";
import { mount } from "../lib/island";
import { pageCommandOf } from "../lib/keys";
import { linkedItem, share } from "../lib/links";
import { openOutbox } from "../lib/outbox";
import { placeOf } from "../lib/sky";
import type { Tree } from "../lib/tree";
import { randomUuid } from "../lib/uuid";
import { t } from "../lib/words";

interface Props {
  question: { version: number; tree: Tree };
  addresses: Addresses & { campaign: string };
  suggested_tags?: string[];
  guide: GuideProps;
}

function Classify(props: Props & { luggage: Luggage }) {
  const { question, addresses, suggested_tags, guide, luggage } = props;
  const { tree, version } = question;
  const [state, dispatch] = useVotes(tree, version, addresses, luggage);
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const [hearsCharacters, setHearsCharacters] = useCharacterKeys();
  const learning = useLearning(guide);
  const isLearning = learning.step !== null;
  const item = state.end ? undefined : state.queue[0];
  const turn = `${item?.id}.${state.changing ? "again" : ""}`;
  useLink(luggage.wanted, state);
  useFocusOnChange(state.changing !== null);
  const [panel, togglePanel, closePanel] = usePanel(turn);

  const does = {
    help: () => setIsHelpOpen(!isHelpOpen),
    change: () => dispatch({ type: "changed" }),
    skip: () => item && dispatch({ type: "skipped", item: item.id, uuid: randomUuid() }),
    favourite: () => item && dispatch({ type: "favoured", uuid: randomUuid() }),
    share: async () => {
      const words = item && (await share(item));
      if (words) dispatch({ type: "told", words });
    },
    remarks: () => item && togglePanel("remarks"),
    where: () => item && placeOf(item) && togglePanel("where"),
    guide: learning.onGuideToggle,
    dismiss: () => {
      if (panel) closePanel();
      else if (learning.isGuideOpen) learning.onGuideToggle();
      else if (state.marking) dispatch({ type: "back" });
      else if (state.changing) dispatch({ type: "kept" });
      else dispatch({ type: "feedback_closed" });
    },
  };

  useKeys(hearsCharacters, (press) => {
    const command = pageCommandOf(press);
    if (!command || isLearning || (isHelpOpen && command !== "help")) return;
    if (command !== "dismiss") press.preventDefault();
    does[command]();
  });

  const work = {
    state,
    dispatch,
    hearsKeys: !isHelpOpen && !isLearning,
    hearsCharacters,
    onHelp: () => setIsHelpOpen(true),
  };
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
          onGuide={learning.onGuideAt}
          onClose={() => dispatch({ type: "feedback_closed" })}
        />
      )}
      <Standing
        state={state}
        item={item}
        panel={panel}
        suggestedTags={suggested_tags ?? []}
        does={does}
        onRemarks={(remarks) => dispatch({ type: "remarked", remarks })}
      />
      {state.end && <Ending state={state} end={state.end} campaign={addresses.campaign} />}
      {!state.end && !item && !isOffline(state) && (
        <p class="classify__wait muted">{t("Fetching the next pictures …")}</p>
      )}
      {!state.end && !item && isOffline(state) && <Resting state={state} />}
      {item?.kind === "grid" && <Grid key={turn} item={item} {...work} />}
      {item && item.kind !== "grid" && <Asking turn={turn} item={item} {...work} />}
      <Help
        tree={tree}
        help={asked(state)?.help}
        isGrid={item?.kind === "grid"}
        isOpen={isHelpOpen}
        hearsCharacters={hearsCharacters}
        onHearsCharacters={setHearsCharacters}
        onTutorial={() => {
          setIsHelpOpen(false);
          learning.onTutorial();
        }}
        onClose={() => setIsHelpOpen(false)}
      />
      <Learning learning={learning} tree={tree} hearsCharacters={hearsCharacters} />
    </div>
  );
}

/** When the last answer comes back, or goes again, the focus is on the question that is asked now. */
function useFocusOnChange(isChanging: boolean): void {
  const [wasChanging, setWasChanging] = useState(isChanging);
  useEffect(() => {
    if (isChanging === wasChanging) return;
    setWasChanging(isChanging);
    document.getElementById("question")?.focus({ preventScroll: true });
  }, [isChanging, wasChanging]);
}

const outbox = await openOutbox();
const luggage = { outbox, unsent: await outbox.kept(), wanted: linkedItem(location.search) };
mount("classify", (props: Props) => <Classify {...props} luggage={luggage} />);
