/** The steps of the tutorial that are only looked at. */
import { PAGE_KEYS } from "../lib/keys";
import { t } from "../lib/words";
import type { Example, Tutorial } from "./lessons";

export function PictureStep({ picture }: { picture: Example | null }) {
  return (
    <>
      {picture && <Picture example={picture} />}
      <p>
        {t(
          "Each picture shows a small piece of the sky with one source in its middle. What is bright is where the telescope has seen something; black is empty sky.",
        )}
      </p>
      <p>
        {t(
          "A little noise, or a neighbor at the rim, is nothing to worry about. Look at what is in the middle.",
        )}
      </p>
    </>
  );
}

export function GroupStep({ turning }: { turning: Tutorial["turning"] }) {
  return (
    <>
      <p>
        {t(
          "A computer has turned and mirrored all pictures until alike ones lie the same way, and put them into groups. The large picture is the mean of its group.",
        )}
      </p>
      {turning && (
        <div class="turning">
          <Picture example={turning.group} />
          <figure>
            <figcaption>{t("Some of its members, as the telescope saw them")}</figcaption>
            <Row examples={turning.before} />
          </figure>
          <figure>
            <figcaption>{t("The same, turned like their group")}</figcaption>
            <Row examples={turning.after} />
          </figure>
        </div>
      )}
      <p>{t("So one answer of yours can speak for hundreds of pictures.")}</p>
    </>
  );
}

export function OddStep({ picture }: { picture: Example | null }) {
  return (
    <>
      {picture && <Picture example={picture} />}
      <p>
        {t(
          "Some pictures resemble nothing else. You see them one by one: now and then one is something new.",
        )}
      </p>
      <p>
        {t(
          "Go with your first impression. If a picture is too faint to decide, “cannot tell” is a useful answer, too. Others look at the same pictures, so no single answer decides.",
        )}
      </p>
    </>
  );
}

export function KeysStep() {
  const keys: [string, string][] = [
    ["1 – 9", t("answer, or tick a picture")],
    ["Enter", t("send the ticks")],
    [PAGE_KEYS.guide, t("field guide: what each answer looks like")],
    [PAGE_KEYS.help, t("help, all keys, and this tutorial again")],
  ];
  return (
    <>
      <p>
        {t(
          "You can change your last answer, and pass over what you do not want to answer. The field guide with examples is always at hand, and Help brings this tutorial back.",
        )}
      </p>
      <dl class="tutorial__keys">
        {keys.map(([name, what]) => (
          <div key={name}>
            <dt>
              <kbd>{name}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p>{t("Thank you for helping!")}</p>
    </>
  );
}

export function Picture({ example }: { example: Example }) {
  return (
    <figure class="tutorial__picture">
      <img src={example.url} alt={example.alt} width="512" height="512" />
    </figure>
  );
}

function Row({ examples }: { examples: Example[] }) {
  return (
    <div class="turning__row">
      {examples.map(({ url, alt }) => (
        <img key={url} src={url} alt={alt} width="192" height="192" />
      ))}
    </div>
  );
}
