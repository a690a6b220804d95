/** The pictures of one item: the large one, and under a prototype its nearest and farthest members. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Item } from "../lib/classifying";
import type { Point } from "../lib/viewing";
import { t } from "../lib/words";
import { MarkOverlay } from "../marks/MarkOverlay";
import type { MarkWork } from "../marks/useMarking";
import { type Hearing, useViewing, type Viewing } from "../viewer/useViewing";
import { Viewer } from "../viewer/Viewer";
import { ViewPanel } from "../viewer/ViewPanel";
import { BrokenPicture } from "./BrokenPicture";

interface Props extends Hearing {
  item: Item;
  marks: MarkWork;
  onMarksDone: () => void;
  onShown: () => void;
  onPassOver: () => void;
}

export function Stage({ item, marks, onMarksDone, onShown, onPassOver, ...hearing }: Props) {
  const [tries, setTries] = useState(0);
  const [isBroken, setIsBroken] = useState(false);
  const viewing = useViewing(item.main, hearing);
  const field = useMarkField(marks.isOpen);
  const role = marks.state.roles.find(({ key }) => key === marks.state.role);
  const scale = item.main.scale_arcsec ?? 1;
  // A tap on a picture that is not marked is the viewer's own business.
  const tap = ({ x, y }: Point) => {
    if (role?.shape === "point") marks.act({ do: "put", at: { x: x * scale, y: y * scale } });
  };
  const again = () => {
    setIsBroken(false);
    setTries(tries + 1);
  };
  return (
    <section
      class={item.members.length ? "stage stage--members" : "stage"}
      aria-label={item.description}
    >
      <figure class="picture picture--chart stage__main">
        <div class="stage__field" {...field.attributes}>
          <Viewer
            picture={item.main}
            viewing={viewing}
            isLarge
            isStill={marks.isOpen && role?.shape === "box"}
            tries={tries}
            onShown={onShown}
            onBroken={() => setIsBroken(true)}
            {...(marks.isOpen && { onTap: tap })}
          >
            {(view) => (
              <MarkOverlay
                field={{ view, viewing, work: marks, focus: field.focus, onDone: onMarksDone }}
                hearing={hearing}
              />
            )}
          </Viewer>
        </div>
        <ViewPanel picture={item.main} viewing={viewing} />
      </figure>
      <Members item={item} rank="nearest" name={t("Most alike")} viewing={viewing} />
      <Members item={item} rank="farthest" name={t("Least alike")} viewing={viewing} />
      {isBroken && <BrokenPicture onAgain={again} onPassOver={onPassOver} />}
    </section>
  );
}

/** The picture takes the keyboard while it is marked, and gives it back to the question. */
function useMarkField(isOpen: boolean) {
  const field = useRef<HTMLDivElement>(null);
  const wasOpen = useRef(isOpen);
  const focus = () => field.current?.focus({ preventScroll: true });
  useEffect(() => {
    if (isOpen) field.current?.focus({ preventScroll: true });
    else if (wasOpen.current) document.getElementById("question")?.focus({ preventScroll: true });
    wasOpen.current = isOpen;
  }, [isOpen]);
  const words = t("The picture. Arrow keys move the crosshair, Enter marks.");
  const open = { role: "application" as const, tabIndex: 0, "aria-label": words };
  return { focus, attributes: { ref: field, ...(isOpen && open) } };
}

interface MembersProps {
  item: Item;
  rank: "nearest" | "farthest";
  name: string;
  viewing: Viewing;
}

function Members({ item, rank, name, viewing }: MembersProps) {
  const members = item.members.filter((member) => member.rank === rank);
  if (!members.length) return null;
  return (
    <div class={`stage__members stage__members--${rank}`}>
      <p aria-hidden="true">{name}</p>
      <ul aria-label={`${name}, ${t("turned into the same frame")}`}>
        {members.map((member) => (
          <li key={member.url}>
            <Viewer picture={member} viewing={viewing} />
          </li>
        ))}
      </ul>
    </div>
  );
}
