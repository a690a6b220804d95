/** Said over the pictures of an item when one of them could not be fetched. */
import { t } from "../lib/words";

interface Props {
  onAgain: () => void;
  onPassOver: () => void;
}

export function BrokenPicture({ onAgain, onPassOver }: Props) {
  return (
    <div class="notice notice--warn stage__broken">
      <p>{t("This picture did not arrive.")}</p>
      <div class="row">
        <button class="button" type="button" onClick={onAgain}>
          {t("Try again")}
        </button>
        <button class="button button--quiet" type="button" onClick={onPassOver}>
          {t("Show me another")}
        </button>
      </div>
    </div>
  );
}
