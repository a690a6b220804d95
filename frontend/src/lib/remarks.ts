/** What a volunteer says of an item beside the answer: tags, a comment, and that it is strange. */

export interface Remarks {
  tags: string[];
  is_strange: boolean;
  comment: string;
}

export const NO_REMARKS: Remarks = { tags: [], is_strange: false, comment: "" };

/** As the server takes them. */
export const MOST_TAGS = 10;
export const LONGEST_TAG = 40;
export const LONGEST_COMMENT = 1000;

export function isSilent({ tags, is_strange, comment }: Remarks): boolean {
  return tags.length === 0 && !is_strange && comment.trim() === "";
}

/** One way to write a tag: small letters, single spaces, no sign before it. */
export function tagOf(text: string): string {
  return text
    .replace(/^[\s#]+/, "")
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase()
    .slice(0, LONGEST_TAG);
}

/** With the tags of what was typed, split at commas. */
export function tagged(remarks: Remarks, text: string): Remarks {
  const fresh = text.split(",").map(tagOf).filter(Boolean);
  return { ...remarks, tags: [...new Set([...remarks.tags, ...fresh])].slice(0, MOST_TAGS) };
}

export function toggledTag(remarks: Remarks, tag: string): Remarks {
  if (!remarks.tags.includes(tag)) return tagged(remarks, tag);
  return { ...remarks, tags: remarks.tags.filter((one) => one !== tag) };
}
