/** What is drawn black and what white: by sliders, or as values of the large picture. */
import { bandDrawn, type Look, limitsOf, type Pixels, withHigh, withLow } from "../lib/brightness";
import { formatDecimal } from "../lib/format";
import { valueWords } from "../lib/viewing";
import { t } from "../lib/words";

interface Props {
  pixels: Pixels | null;
  look: Look;
  onChange: (look: Look) => void;
}

/** The white slider goes by powers of ten: faint structure lies far below a bright peak. */
const FAINTEST_EXPONENT = -3;

export function LimitControls({ pixels, look, onChange }: Props) {
  const brightness = pixels && bandDrawn(pixels, look.bands)?.brightness;
  const limits = brightness && limitsOf(brightness, look);
  const sigma = Number(look.floor_sigma.toFixed(2));
  const percent = Number((100 * look.ceiling).toPrecision(2));
  return (
    <>
      <div class="view__limit">
        <label for="view-black">{t("Black below")}</label>
        <input
          id="view-black"
          type="range"
          min="-3"
          max="12"
          step="0.25"
          value={look.floor_sigma}
          aria-valuetext={t("{n} times the noise above the background", {
            n: formatDecimal(sigma),
          })}
          onInput={(event) => onChange({ ...look, floor_sigma: Number(event.currentTarget.value) })}
        />
        <output class="view__value">{formatDecimal(sigma)} σ</output>
        {limits && (
          <Field
            name={t("Value drawn black")}
            value={limits.low}
            onChange={(low) => onChange(withLow(look, brightness, low))}
          />
        )}
      </div>
      <div class="view__limit">
        <label for="view-white">{t("White above")}</label>
        <input
          id="view-white"
          type="range"
          min={FAINTEST_EXPONENT}
          max="0"
          step="0.05"
          value={Math.log10(look.ceiling)}
          aria-valuetext={t("{n} percent of the peak", { n: formatDecimal(percent) })}
          onInput={(event) =>
            onChange({ ...look, ceiling: 10 ** Number(event.currentTarget.value) })
          }
        />
        <output class="view__value">{formatDecimal(percent)} %</output>
        {limits && (
          <Field
            name={t("Value drawn white")}
            value={limits.high}
            onChange={(high) => onChange(withHigh(look, brightness, high))}
          />
        )}
      </div>
    </>
  );
}

interface FieldProps {
  name: string;
  value: number;
  onChange: (value: number) => void;
}

function Field({ name, value, onChange }: FieldProps) {
  return (
    <input
      class="view__field"
      type="number"
      step="any"
      aria-label={name}
      value={valueWords(value)}
      onChange={({ currentTarget: { valueAsNumber } }) => {
        if (Number.isFinite(valueAsNumber)) onChange(valueAsNumber);
      }}
    />
  );
}
