/** Kind words where an answer, or an item that was asked for, went another way. */
import type { ApiError } from "./api";
import type { Missing } from "./classifying";
import { t } from "./words";

/** Why the item of a link is not shown. */
export function missingWords(missing: Missing, isThereAnother: boolean): string {
  const why = {
    answered: t("You have answered that one before."),
    retired: t("That one is settled by now."),
    unknown: t("That one is not asked here any more."),
  }[missing];
  return isThereAnother ? `${why} ${t("Here is another.")}` : why;
}

/** Of a browser whose cookie, or whose session, is gone. */
export function guestWords(): string {
  return t(
    "We did not know you any more, so you go on as a guest. Log in, and your answers move to your account.",
  );
}

/** What is said of a vote that the server has refused for good. */
export function refusalWords({ code, message }: ApiError, isChange: boolean): string {
  if (isChange) {
    return t("Your change could not be taken. Your answer from before stands, and it counts.");
  }
  const words: Record<string, string> = {
    item_retired: t(
      "Others had already settled your last one. Thank you all the same; here is the next.",
    ),
    item_unknown: t("Your last one has been withdrawn. Here is the next."),
    already_voted: t("You had answered your last one before; your first answer stands."),
  };
  return words[code] ?? message;
}
