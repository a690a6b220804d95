/** Answers of an earlier visit that are sent from a page without a question, and what is said of them. */
import type { Word } from "./outbox";
import { isFinal, type Parcel } from "./parcels";
import { refusalWords } from "./voteWords";
import { tn } from "./words";

export interface Arrears {
  waiting: Parcel[];
  n_sent: number;
  /** The last try did not reach the server. */
  isFailing: boolean;
  /** The server does not know this browser's volunteer, so it takes nothing from here. */
  isStranger: boolean;
  /** What the server did not take for good, in kind words. */
  refusal: string | null;
}

export function arrearsOf(waiting: Parcel[]): Arrears {
  return { waiting, n_sent: 0, isFailing: false, isStranger: false, refusal: null };
}

export function after(before: Arrears, word: Word): Arrears {
  if (word.type === "elsewhere") return before;
  const parcel = before.waiting.find(({ uuid }) => uuid === word.uuid);
  if (!parcel) return before;
  const waiting = before.waiting.filter((one) => one !== parcel);
  const isVote = parcel.kind === "vote";
  if (word.type === "taken") {
    return { ...before, waiting, n_sent: before.n_sent + (isVote ? 1 : 0), isFailing: false };
  }
  if (!isFinal(word.error)) {
    return { ...before, isFailing: word.error.isPassing, isStranger: !word.error.isPassing };
  }
  const refusal = isVote ? refusalWords(word.error, !!parcel.vote.supersedes) : before.refusal;
  return { ...before, waiting, refusal, isFailing: false };
}

/** One sentence on where they are; null where there is nothing to say. */
export function arrearsWords({ waiting, n_sent, isStranger, refusal }: Arrears): string | null {
  const n_waiting = waiting.filter(({ kind }) => kind === "vote").length;
  if (n_waiting && isStranger) {
    return tn(
      "{n} answer of yours waits in this browser. It is sent when you go on with a campaign.",
      "{n} answers of yours wait in this browser. They are sent when you go on with a campaign.",
      n_waiting,
    );
  }
  if (n_waiting) {
    return tn(
      "{n} answer of yours waits in this browser. It is sent as soon as there is a connection.",
      "{n} answers of yours wait in this browser. They are sent as soon as there is a connection.",
      n_waiting,
    );
  }
  if (refusal) return refusal;
  if (!n_sent) return null;
  return tn(
    "{n} answer that waited in this browser has arrived. Thank you!",
    "{n} answers that waited in this browser have arrived. Thank you!",
    n_sent,
  );
}
