/** The picture that a page is about, from its real pixels, under the marks that the page drew over it. */
import { useCharacterKeys } from "../classify/useCharacterKeys";
import { mount } from "../lib/island";
import type { Size, View } from "../lib/viewing";
import { t } from "../lib/words";
import { useViewing } from "../viewer/useViewing";
import { type Picture, Viewer } from "../viewer/Viewer";
import { ViewPanel } from "../viewer/ViewPanel";

interface Props {
  picture: Picture;
}

// The page's own drawing of marks, taken before the island comes in place of its picture.
const drawing = document.querySelector<SVGSVGElement>('[data-island="viewer"] .marked__drawing');

function PageViewer({ picture }: Props) {
  const [hearsCharacters] = useCharacterKeys();
  const viewing = useViewing(picture, { hearsKeys: true, hearsCharacters });
  return (
    <section class="stage" aria-label={t("Picture")}>
      <figure class="picture picture--chart stage__main">
        <Viewer picture={picture} viewing={viewing} isLarge>
          {drawing && ((view) => <Drawing marks={drawing} view={view} />)}
        </Viewer>
        <ViewPanel picture={picture} viewing={viewing} />
      </figure>
    </section>
  );
}

function Drawing({ marks, view }: { marks: SVGSVGElement; view: View }) {
  return (
    <g
      class="marked__drawing"
      transform={placed(marks.viewBox.baseVal, view)}
      dangerouslySetInnerHTML={{ __html: marks.innerHTML }}
    />
  );
}

/** The way from a drawing that covers the image, y down, to the frame. */
function placed({ width, height }: Size, { image, toScreen }: View): string {
  const at = (x: number, y: number) =>
    toScreen({ x: (x / width - 0.5) * image.width, y: (0.5 - y / height) * image.height });
  const [origin, right, below] = [at(0, 0), at(width, 0), at(0, height)];
  const parts = [
    (right.x - origin.x) / width,
    (right.y - origin.y) / width,
    (below.x - origin.x) / height,
    (below.y - origin.y) / height,
    origin.x,
    origin.y,
  ];
  return `matrix(${parts.join(" ")})`;
}

mount("viewer", PageViewer);
