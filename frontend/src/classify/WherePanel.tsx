/** Where a single source lies on the sky, for those who want to look further. */
import type { Item } from "../lib/classifying";
import { aladinUrl, type Place, sexagesimal, simbadUrl, sizeWords } from "../lib/sky";
import { t } from "../lib/words";
import { usePixels } from "../viewer/usePixels";
import { Panel } from "./Panel";

interface Props {
  item: Item;
  place: Place;
  onClose: () => void;
}

export function WherePanel({ item, place, onClose }: Props) {
  const { pixels } = usePixels(item.main.pixels_url);
  const width = pixels && item.main.scale_arcsec && pixels.width * item.main.scale_arcsec;
  return (
    <Panel title={t("Where is this?")} onClose={onClose}>
      <dl class="where">
        <dt>{t("Name")}</dt>
        <dd>{item.title}</dd>
        <dt>{t("Position (J2000)")}</dt>
        <dd class="where__figures">{sexagesimal(place)}</dd>
        {width && (
          <>
            <dt>{t("Width of the picture")}</dt>
            <dd>{sizeWords(width)}</dd>
          </>
        )}
      </dl>
      <p class="panel__row">
        <a class="button" href={aladinUrl(place)} target="_blank" rel="noopener noreferrer">
          Aladin Lite <span class="visually-hidden">{t("(opens in a new tab)")}</span>
        </a>
        <a class="button" href={simbadUrl(place)} target="_blank" rel="noopener noreferrer">
          SIMBAD <span class="visually-hidden">{t("(opens in a new tab)")}</span>
        </a>
      </p>
      <p class="field__help">
        {t("Your answer to what you see here is worth most before you look.")}
      </p>
    </Panel>
  );
}
