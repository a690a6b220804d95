/** The pictures of one item: the large one, and the aligned members of a prototype around it. */
import { useState } from "preact/hooks";
import type { Item } from "../lib/classifying";
import { BrokenPicture } from "./BrokenPicture";

interface Props {
  item: Item;
  onShown: () => void;
  onPassOver: () => void;
}

export function Stage({ item, onShown, onPassOver }: Props) {
  const [tries, setTries] = useState(0);
  const [isBroken, setIsBroken] = useState(false);
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
        <img
          key={tries}
          src={item.main.url}
          alt={item.main.alt}
          width="512"
          height="512"
          onLoad={onShown}
          onError={() => setIsBroken(true)}
        />
      </figure>
      {item.members.length > 0 && (
        <ul class="stage__members" aria-label="Some of its members, turned into the same frame">
          {item.members.map((member) => (
            <li key={member.url}>
              <img src={member.url} alt={member.alt} width="128" height="128" />
            </li>
          ))}
        </ul>
      )}
      {isBroken && <BrokenPicture onAgain={again} onPassOver={onPassOver} />}
    </section>
  );
}
