/** The pictures of one item: the large one, and under a prototype its nearest and farthest members. */
import { useState } from "preact/hooks";
import type { Item } from "../lib/classifying";
import { t } from "../lib/words";
import { type Hearing, useViewing, type Viewing } from "../viewer/useViewing";
import { Viewer } from "../viewer/Viewer";
import { ViewPanel } from "../viewer/ViewPanel";
import { BrokenPicture } from "./BrokenPicture";

interface Props extends Hearing {
  item: Item;
  onShown: () => void;
  onPassOver: () => void;
}

export function Stage({ item, onShown, onPassOver, ...hearing }: Props) {
  const [tries, setTries] = useState(0);
  const [isBroken, setIsBroken] = useState(false);
  const viewing = useViewing(item.main, hearing);
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
        <Viewer
          picture={item.main}
          viewing={viewing}
          isLarge
          tries={tries}
          onShown={onShown}
          onBroken={() => setIsBroken(true)}
        />
        <ViewPanel picture={item.main} viewing={viewing} />
      </figure>
      <Members item={item} rank="nearest" name={t("Most alike")} viewing={viewing} />
      <Members item={item} rank="farthest" name={t("Least alike")} viewing={viewing} />
      {isBroken && <BrokenPicture onAgain={again} onPassOver={onPassOver} />}
    </section>
  );
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
