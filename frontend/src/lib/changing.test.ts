import { expect, test } from "vitest";
import { chosenBefore } from "./changing";
import { asked, beginning, canChange, type Event, held, type Item, wanted } from "./classifying";
import { answer, CLOCK, picture, refuse, run, show, taken, votes } from "./classifyingEvents";
import type { Gold } from "./gold";
import { NO_REMARKS } from "./remarks";
import type { Tree } from "./tree";

const TREE: Tree = {
  root: "shape",
  questions: {
    shape: {
      text: "What shape?",
      answers: [
        { key: "compact", label: "Compact" },
        { key: "double", label: "Two sides", next: "ends" },
      ],
    },
    ends: {
      text: "Where is it brightest?",
      answers: [
        { key: "fri", label: "In the middle" },
        { key: "frii", label: "At the ends" },
      ],
    },
  },
};

const single = (id: number): Item => ({
  id,
  kind: "outlier",
  question_version: 1,
  title: `Source ${id}`,
  description: `Source ${id}: a single source`,
  main: picture("/picture"),
  members: [],
  context: {},
  label: null,
  label_title: null,
  is_favourite: false,
  page_url: `/subjects/${id}/`,
  share_url: `/items/${id}/`,
});
const grid = (id: number): Item => ({
  ...single(id),
  kind: "grid",
  label: "frii",
  label_title: "FR II",
  members: [100, 101, 102].map((id) => picture("/picture", id)),
});

const served = (...items: Item[]): Event => ({ type: "served", supply: "items", items });
const send = (now: number, uuid: string): Event => ({
  type: "sorted",
  verdict: "sorted",
  uuid,
  now,
  clock: CLOCK,
});
const CHANGE: Event = { type: "changed" };
const KEEP: Event = { type: "kept" };

/** Item 1 was called compact, and item 2 is shown. */
const answeredOne = () =>
  run(
    beginning(TREE, 1, []),
    served(single(1), single(2), single(3)),
    show(1, 1000),
    answer("compact", 2000, "a"),
    show(2, 2100),
  );
/** Item 1 stands in front again, and its picture is there. */
const changing = () => run(answeredOne(), CHANGE, show(1, 3000));

test("the last answer's item comes back with what was said of it", () => {
  const state = changing();
  expect(state.queue.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(state.said).toBe(
    "You are changing your answer to Source 1. You said: Compact. Source 1: a single source. What shape?",
  );
  expect(chosenBefore(state.changing, state.path)).toBe("compact");
});

test("a new answer supersedes the old one, counts once, and the item that waited is next", () => {
  const state = run(changing(), answer("double", 4000, "b"), answer("frii", 5000, "b"));
  expect(votes(state).map(({ client_uuid }) => client_uuid)).toEqual(["a", "b"]);
  expect(votes(state)[1]).toMatchObject({ item: 1, supersedes: "a", path: ["double", "frii"] });
  expect(votes(state)[1]?.seconds).toBe(2);
  expect(state.answered).toBe(1);
  expect(state.queue[0]?.id).toBe(2);
  expect(state.changing).toBeNull();
  expect(state.notice).toBe("Your answer is At the ends now.");
  expect(state.last?.label).toBe("At the ends");
});

test("the earlier choice is marked on every question of its way and on no other", () => {
  const nested = run(
    beginning(TREE, 1, []),
    served(single(1), single(2)),
    show(1, 1000),
    answer("double", 2000, "a"),
    answer("fri", 3000, "a"),
    show(2, 3100),
    CHANGE,
    show(1, 4000),
  );
  expect(chosenBefore(nested.changing, nested.path)).toBe("double");
  const second = run(nested, answer("double", 5000, "b"));
  expect(asked(second)?.text).toBe("Where is it brightest?");
  expect(chosenBefore(second.changing, second.path)).toBe("fri");
  expect(chosenBefore(changing().changing, ["double"])).toBeNull();
  expect(chosenBefore(null, [])).toBeNull();
});

test("a grid comes back with its ticks", () => {
  const sorted = run(
    beginning(TREE, 1, []),
    served(grid(1), single(2)),
    show(1, 1000),
    { type: "ticked", place: 2, now: 2000 },
    send(3000, "a"),
    CHANGE,
    show(1, 4000),
  );
  expect(sorted.ticks.ticked).toEqual([2]);
  const state = run(sorted, { type: "ticked", place: 0, now: 5000 }, send(6000, "b"));
  expect(votes(state)[1]).toMatchObject({
    supersedes: "a",
    grid: { verdict: "sorted", ticked: [100, 102] },
  });
});

test("the old answer is kept, and the work on the next item goes on where it was", () => {
  const begun = run(answeredOne(), answer("double", 4000, "x"), {
    type: "remarked",
    remarks: { ...NO_REMARKS, tags: ["ring"] },
  });
  const state = run(begun, CHANGE, show(1, 5000), answer("double", 6000, "b"), KEEP);
  expect(state.queue[0]?.id).toBe(2);
  expect(asked(state)?.text).toBe("Where is it brightest?");
  expect(state.remarks.tags).toEqual(["ring"]);
  expect(votes(state)).toHaveLength(1);
  expect(state.said).toMatch(/^Your answer stays as it was. Source 2/);
  expect(run(state, KEEP)).toBe(state);
});

test("the same answer again is no change", () => {
  const state = run(changing(), answer("compact", 4000, "b"));
  expect(votes(state)).toHaveLength(1);
  expect(state.queue[0]?.id).toBe(2);
  expect(state.notice).toBe("Your answer stays as it was.");
});

test("the same answer with other remarks is one", () => {
  const remarks = { ...NO_REMARKS, is_strange: true };
  const state = run(changing(), { type: "remarked", remarks }, answer("compact", 4000, "b"));
  expect(votes(state)[1]).toMatchObject({ supersedes: "a", remarks });
});

test("a changed answer can be changed back, always from the newest", () => {
  const back = run(
    changing(),
    answer("double", 4000, "b"),
    answer("fri", 5000, "b"),
    CHANGE,
    show(1, 6000),
    answer("compact", 7000, "c"),
  );
  expect(votes(back).map(({ supersedes }) => supersedes)).toEqual([undefined, "a", "b"]);
  expect(back.answered).toBe(1);
});

test("only the last of several answers is changed", () => {
  const state = run(answeredOne(), answer("compact", 4000, "b"), show(3, 4100), CHANGE);
  expect(state.queue.map(({ id }) => id)).toEqual([2, 3]);
  expect(canChange(state)).toBe(false);
  expect(run(state, CHANGE)).toBe(state);
});

test("without an answer there is nothing to change", () => {
  const state = run(beginning(TREE, 1, []), served(single(1)));
  expect(run(state, CHANGE)).toBe(state);
});

test("the item is neither asked for nor shown again while it is changed", () => {
  const state = changing();
  expect(held(state)).toEqual([1, 2, 3]);
  expect(run(state, served(single(1), single(9))).queue.map(({ id }) => id)).toEqual([1, 2, 3, 9]);
});

test("the last answer of all can be changed at the end, which then comes again", () => {
  const end: Event = { type: "served", supply: "seen_all", items: [] };
  const over = run(
    beginning(TREE, 1, []),
    served(single(1)),
    show(1, 1000),
    answer("compact", 2000, "a"),
    taken("a"),
    end,
  );
  expect(over.end).toBe("seen_all");
  const again = run(over, CHANGE, show(1, 3000));
  expect([again.end, again.queue[0]?.id]).toEqual([null, 1]);
  const changed = run(again, answer("double", 4000, "b"), answer("fri", 5000, "b"));
  expect(wanted(changed)).toBe(0);
  expect(wanted(run(changed, taken("b")))).toBeGreaterThan(0);
  expect(run(again, KEEP, end).end).toBe("seen_all");
});

test("when the changed answer is refused the one before is the last again", () => {
  const sent = run(changing(), answer("double", 4000, "b"), answer("fri", 5000, "b"), taken("a"));
  const state = run(sent, refuse("b", 409, "vote_unknown"));
  expect(state.last?.label).toBe("Compact");
  expect(state.answered).toBe(1);
  expect(state.notice).toBe(
    "Your change could not be taken. Your answer from before stands, and it counts.",
  );
});

test("when the answer is refused while it is being changed, the next item is shown", () => {
  const state = run(changing(), refuse("a", 409, "item_retired"));
  expect(state.changing).toBeNull();
  expect(state.queue.map(({ id }) => id)).toEqual([2, 3]);
  expect(state.last).toBeNull();
  expect(state.answered).toBe(0);
  expect(state.notice).toMatch(/settled/);
  expect(run(state, CHANGE)).toBe(state);
});

test("when the first is refused and its change is on its way, that one counts in its place", () => {
  const sent = run(changing(), answer("double", 4000, "b"), answer("fri", 5000, "b"));
  const relinked = run(sent, refuse("a", 409, "answer_invalid"));
  expect(votes(relinked)).toHaveLength(1);
  expect(votes(relinked)[0]).not.toHaveProperty("supersedes");
  expect(relinked.answered).toBe(1);
  const state = run(relinked, refuse("b", 409, "item_retired"));
  expect([state.answered, state.last]).toEqual([0, null]);
});

test("what experts say is not told before a change is through, and ends all changing", () => {
  const gold: Gold = { label: "compact", label_title: "Compact", is_right: true };
  expect(run(changing(), taken("a", gold)).feedback).toBeNull();
  const told = run(answeredOne(), taken("a", gold));
  expect(told.feedback).not.toBeNull();
  const state = run(told, CHANGE);
  expect(state.changing).toBeNull();
  expect(state.notice).toMatch(/^You know what experts say/);
});

test("to skip an item whose answer is being changed keeps the answer", () => {
  const state = run(changing(), { type: "skipped", item: 1, uuid: "s" });
  expect(state.changing).toBeNull();
  expect(state.unsent.map(({ kind }) => kind)).toEqual(["vote"]);
});
