import { expect, test } from "vitest";
import {
  AT_ONCE,
  asked,
  beginning,
  countWaiting,
  type Event,
  HELD,
  held,
  type Item,
  isOffline,
  SHORTEST_LOOK_MS,
  type State,
  wanted,
} from "./classifying";
import { answer, picture, refuse, run, show, taken, votes } from "./classifyingEvents";
import type { Gold } from "./gold";
import type { SentMark } from "./marks";
import type { Tree } from "./tree";

const TREE: Tree = {
  root: "shape",
  questions: {
    shape: {
      text: "What shape?",
      answers: [
        { key: "compact", label: "Compact", help: "One spot." },
        { key: "double", label: "Two sides", next: "ends" },
      ],
    },
    ends: { text: "Where is it brightest?", answers: [{ key: "frii", label: "At the ends" }] },
  },
};

const item = (id: number, question_version = 1): Item => ({
  id,
  kind: "prototype",
  question_version,
  title: `Prototype ${id}`,
  description: `Prototype ${id}: 9 members`,
  main: picture(`/${id}`),
  members: [],
  context: {},
  label: null,
  label_title: null,
  is_favourite: false,
  page_url: `/prototypes/${id}/`,
  share_url: `/items/${id}/`,
});

/** A grid of twelve members, the subjects 100 to 111. */
const grid = (id: number): Item => ({
  ...item(id),
  kind: "grid",
  label: "frii",
  label_title: "FR II",
  members: Array.from({ length: 12 }, (_, place) => picture(`/member-${place}`, 100 + place)),
});

const serve = (...ids: number[]): Event => ({
  type: "served",
  supply: "items",
  items: ids.map((id) => item(id)),
});

const skip = (item: number): Event => ({ type: "skipped", item, uuid: `skip-${item}` });

const fresh = () => beginning(TREE, 1, []);
const looking = () => run(fresh(), serve(1, 2, 3, 4), show(1));

test("it asks for as many items as it holds, and again before ten cannot be answered", () => {
  const ids = Array.from({ length: HELD }, (_, place) => place + 1);
  expect(wanted(fresh())).toBe(AT_ONCE);
  expect(wanted(run(fresh(), serve(1, 2)))).toBe(AT_ONCE);
  expect(wanted(run(fresh(), serve(...ids)))).toBe(0);
  expect(wanted(run(fresh(), serve(...ids.slice(4))))).toBe(0);
  expect(wanted(run(fresh(), serve(...ids.slice(5))))).toBe(5);
});

test("an answer becomes a vote and the next item is shown at once", () => {
  const state = run(looking(), answer("compact", 5000, "u"));
  expect(votes(state)).toEqual([
    {
      client_uuid: "u",
      item: 1,
      question_version: 1,
      path: ["compact"],
      seconds: 4,
      answered_at: "2026-11-23T10:00:00.000Z",
    },
  ]);
  expect(state.queue[0]?.id).toBe(2);
  expect(state.answered).toBe(1);
  expect(state.last?.label).toBe("Compact");
});

test("an answer before the picture is there does not count", () => {
  const state = run(fresh(), serve(1, 2), answer("compact"));
  expect(state.unsent).toEqual([]);
  expect(state.queue[0]?.id).toBe(1);
});

test("a double click is one answer", () => {
  const once = run(looking(), answer("compact", 5000), show(2, 5010));
  expect(run(once, answer("compact", 5000 + SHORTEST_LOOK_MS)).unsent).toHaveLength(1);
  expect(run(once, answer("compact", 5011 + SHORTEST_LOOK_MS)).unsent).toHaveLength(2);
});

test("a double click does not answer the question that follows", () => {
  const state = run(looking(), answer("double", 5000), answer("frii", 5100));
  expect(state.path).toEqual(["double"]);
  expect(state.unsent).toEqual([]);
});

test("a nested question is asked, and its vote has the whole path", () => {
  const second = run(looking(), answer("double"));
  expect(asked(second)?.text).toBe("Where is it brightest?");
  expect(second.said).toBe("Prototype 1: 9 members. Where is it brightest?");
  expect(votes(run(second, answer("frii", 9000)))[0]?.path).toEqual(["double", "frii"]);
});

test("back returns to the question before and never leaves the item", () => {
  const back = run(looking(), answer("double"), { type: "back" });
  expect(back.path).toEqual([]);
  expect(run(back, { type: "back" })).toBe(back);
});

test("an answer that is not offered changes nothing", () => {
  const state = looking();
  expect(run(state, answer("ring"))).toBe(state);
});

test("items under way are not asked for again and not shown twice", () => {
  const state = run(looking(), answer("compact"));
  expect(held(state)).toEqual([2, 3, 4, 1]);
  expect(run(state, serve(1, 2, 5)).queue.map((one) => one.id)).toEqual([2, 3, 4, 5]);
});

test("a vote leaves the list when the server has taken it", () => {
  const state = run(looking(), answer("compact", 5000, "u"), taken("u"));
  expect(state.unsent).toEqual([]);
  expect(state.answered).toBe(1);
});

test("without a connection votes wait and going on is possible", () => {
  const state = run(looking(), answer("compact", 5000, "u"), refuse("u", 0, "unreachable"));
  expect(isOffline(state)).toBe(true);
  expect(state.unsent).toHaveLength(1);
  expect(run(state, show(2), answer("compact", 9000)).unsent).toHaveLength(2);
  expect(isOffline(run(state, taken("u")))).toBe(false);
});

test("new items do not hide that a vote could not be sent", () => {
  const state = run(looking(), answer("compact", 5000, "u"), refuse("u", 0, "unreachable"));
  expect(isOffline(run(state, serve(5)))).toBe(true);
});

test("a retired item is told kindly and does not count", () => {
  const state = run(looking(), answer("compact", 5000, "u"), refuse("u", 409, "item_retired"));
  expect(state.unsent).toEqual([]);
  expect(state.answered).toBe(0);
  expect(state.notice).toMatch(/settled/);
  expect(state.end).toBeNull();
});

test("a volunteer who is no longer known becomes a guest, who is told so", () => {
  const stranger = run(looking(), answer("compact"), refuse("uuid", 403, "volunteer_unknown"));
  expect([stranger.hasBegun, stranger.end, stranger.unsent.length]).toEqual([false, null, 1]);
  expect(wanted(stranger)).toBeGreaterThan(0);
  const guest = run(stranger, serve(5), taken(votes(stranger)[0]?.client_uuid ?? ""));
  expect([guest.hasBegun, guest.unsent.length]).toEqual([true, 0]);
  expect(guest.notice).toMatch(/^We did not know you any more/);
});

test("who cannot become known is asked to allow cookies and loses no vote", () => {
  const unknown = refuse("u", 403, "volunteer_unknown");
  const state = run(looking(), answer("compact", 5000, "u"), unknown, serve(5), unknown);
  expect(state.end).toBe("cookies");
  expect(state.unsent).toHaveLength(1);
  expect(wanted(state)).toBe(0);
});

test("who may not classify is told so in the server's words", () => {
  const state = run(fresh(), refuse(null, 403, "permission_denied"));
  expect(state.end).toBe("refused");
  expect(state.notice).toBe("In the server's words.");
});

test.each([
  ["campaign_closed", "closed"],
  ["question_outdated", "revised"],
])("%s ends the page as %s", (code, end) => {
  expect(run(looking(), answer("compact", 5000, "u"), refuse("u", 409, code)).end).toBe(end);
});

test("an item of a newer question asks for a new page", () => {
  const served: Event = { type: "served", supply: "items", items: [item(1, 2)] };
  expect(run(fresh(), served).end).toBe("revised");
});

test.each(["seen_all", "done", "closed"] as const)(
  "%s ends the page once all is answered",
  (supply) => {
    const nothing: Event = { type: "served", supply, items: [] };
    expect(run(fresh(), nothing).end).toBe(supply);
    const oneLeft = run(fresh(), serve(1), nothing);
    expect(oneLeft.end).toBeNull();
    expect(wanted(oneLeft)).toBe(0);
  },
);

test("whether all is done is asked after the last vote has arrived", () => {
  const last = run(fresh(), serve(1), show(1), answer("compact", 5000, "u"));
  expect(wanted(last)).toBe(0);
  expect(wanted(run(last, taken("u")))).toBe(AT_ONCE);
});

test("a server that serves nothing new is not asked forever", () => {
  expect(run(fresh(), serve()).end).toBe("seen_all");
});

test("an item is skipped, which is sent, and it does not come back meanwhile", () => {
  const state = run(looking(), skip(1));
  expect(state.queue[0]?.id).toBe(2);
  expect(state.unsent).toEqual([{ kind: "skip", uuid: "skip-1", item: 1 }]);
  expect(state.answered).toBe(0);
  expect(run(state, serve(1, 5)).queue.map(({ id }) => id)).toEqual([2, 3, 4, 5]);
  expect(run(state, skip(1))).toBe(state);
});

test("votes of an earlier visit wait until the server knows the volunteer again", () => {
  const earlier = run(looking(), answer("compact")).unsent;
  const state = beginning(TREE, 1, earlier);
  expect(held(state)).toEqual([1]);
  expect(state.hasBegun).toBe(false);
  expect(wanted(state)).toBe(AT_ONCE);
  expect(run(state, serve(1, 2)).hasBegun).toBe(true);
});

// Grids ---------------------------------------------------------------------------------------
const serveGrid: Event = { type: "served", supply: "items", items: [grid(1), item(2)] };
const sorting = () => run(fresh(), serveGrid, show(1));
const tick = (place: number, now = 2000): Event => ({ type: "ticked", place, now });
const sort = (verdict: "sorted" | "too_mixed", now = 5000): Event => ({
  type: "sorted",
  verdict,
  uuid: "u",
  now,
  clock: new Date("2026-11-23T10:00:00Z"),
});

test("a grid says what it is called and asks no question of the tree", () => {
  const state = sorting();
  expect(asked(state)).toBeNull();
  expect(state.said).toBe(
    "Prototype 1: 9 members. People call this group FR II. Tick the ones that are not.",
  );
  expect(run(state, answer("compact"))).toBe(state);
});

test("ticks become a vote with the subjects of the ticked members", () => {
  const ticked = run(sorting(), tick(11), tick(2), tick(5), tick(5));
  expect(ticked.said).toBe("2 ticked");
  const state = run(ticked, sort("sorted"));
  expect(votes(state)).toEqual([
    {
      client_uuid: "u",
      item: 1,
      question_version: 1,
      grid: { verdict: "sorted", ticked: [102, 111] },
      seconds: 4,
      answered_at: "2026-11-23T10:00:00.000Z",
    },
  ]);
  expect(state.queue[0]?.id).toBe(2);
  expect(state.ticks.ticked).toEqual([]);
  expect(state.last?.label).toBe("2 of 12 ticked");
  expect(asked(state)?.text).toBe("What shape?");
});

test("without a tick all belong", () => {
  const state = run(sorting(), sort("sorted"));
  expect(votes(state)[0]?.grid).toEqual({ verdict: "sorted", ticked: [] });
  expect(state.last?.label).toBe("All belong");
});

test("too mixed to say forgets the ticks", () => {
  const state = run(sorting(), tick(2), sort("too_mixed"));
  expect(votes(state)[0]?.grid).toEqual({ verdict: "too_mixed", ticked: [] });
});

test("ticks are undone and cleared, which is said", () => {
  const two = run(sorting(), tick(2), tick(5));
  const none = run(two, { type: "ticks_cleared" });
  expect(none.said).toBe("None ticked");
  const again = run(none, { type: "ticks_undone" }, { type: "ticks_undone" });
  expect(again.ticks.ticked).toEqual([2]);
  expect(again.said).toBe("1 ticked");
});

test("a grid takes nothing before all its pictures were there for a moment", () => {
  const early = 1000 + SHORTEST_LOOK_MS - 1;
  const waiting = run(fresh(), serveGrid);
  expect(run(waiting, tick(2), sort("sorted"))).toBe(waiting);
  expect(run(sorting(), tick(2, early), sort("sorted", early))).toEqual(sorting());
});

test("places that a grid lacks are not ticked, and a question is not sorted", () => {
  expect(run(sorting(), tick(12))).toEqual(sorting());
  expect(run(looking(), tick(0), sort("sorted"))).toEqual(looking());
});

// Gold ----------------------------------------------------------------------------------------
const GOLD: Gold = { label: "compact", label_title: "Compact", is_right: false };
const told = () => run(looking(), answer("double"), answer("frii", 9000, "u"), taken("u", GOLD));

test("what experts say of an answered item is shown and said", () => {
  const state = told();
  expect(state.feedback?.isRight).toBe(false);
  expect(state.feedback?.item.id).toBe(1);
  expect(state.feedback?.words).toMatch(/^Experts call this one Compact.*One spot\.$/);
  expect(state.said).toBe(state.feedback?.words);
  expect(state.queue[0]?.id).toBe(2);
});

test("it stays over the next answer, goes with the one after it, and can be closed", () => {
  const next = run(told(), show(2, 10_000), answer("compact", 11_000));
  expect(next.feedback).not.toBeNull();
  expect(run(next, show(3, 12_000), answer("compact", 13_000)).feedback).toBeNull();
  expect(run(told(), { type: "feedback_closed" }).feedback).toBeNull();
});

test("an item answered on an earlier visit is not spoken of", () => {
  const earlier = run(looking(), answer("compact", 5000, "u")).unsent;
  expect(run(beginning(TREE, 1, earlier), taken("u", GOLD)).feedback).toBeNull();
});

// Favourites, remarks and links ---------------------------------------------------------------
const favour = (uuid: string): Event => ({ type: "favoured", uuid });

test("an item becomes a favourite and stops being one", () => {
  const once = run(looking(), favour("f"));
  expect(once.queue[0]?.is_favourite).toBe(true);
  expect(once.said).toBe("This one is among your favourites now.");
  const twice = run(once, favour("g"));
  expect(twice.queue[0]?.is_favourite).toBe(false);
  expect(twice.unsent).toEqual([
    { kind: "favourite", uuid: "f", item: 1, is_favourite: true },
    { kind: "favourite", uuid: "g", item: 1, is_favourite: false },
  ]);
});

test("a favourite that the server does not take is none, which is said", () => {
  const state = run(looking(), favour("f"), refuse("f", 404, "item_unknown"));
  expect(state.queue[0]?.is_favourite).toBe(false);
  expect(state.notice).toBe("In the server's words.");
});

test("what another tab has answered is not shown here, unless it is being looked at", () => {
  const elsewhere = (id: number): Event => ({ type: "elsewhere", item: id });
  const ids = (state: State) => state.queue.map(({ id }) => id);
  expect(ids(run(looking(), elsewhere(3)))).toEqual([1, 2, 4]);
  expect(ids(run(looking(), elsewhere(1)))).toEqual([1, 2, 3, 4]);
  const changing = run(looking(), answer("compact"), { type: "changed" });
  expect(ids(run(changing, elsewhere(2), elsewhere(3)))).toEqual([1, 2, 4]);
});

test("without a connection skips and favourites wait as votes do", () => {
  const state = run(looking(), favour("f"), skip(1), refuse("f", 0, "unreachable"));
  expect(state.unsent.map(({ kind }) => kind)).toEqual(["favourite", "skip"]);
  expect(countWaiting(state)).toBe(0);
  expect(countWaiting(run(state, show(2), answer("compact")))).toBe(1);
});

test("a skip that the server does not take is nobody's business", () => {
  const skipping = run(looking(), skip(1));
  const state = run(skipping, refuse("skip-1", 404, "item_unknown"));
  expect(state.unsent).toEqual([]);
  expect(state.notice).toBeNull();
});

test("remarks go with the answer that follows and with no other", () => {
  const remarks = { tags: ["ring"], is_strange: true, comment: "A ring?" };
  const state = run(
    looking(),
    { type: "remarked", remarks },
    answer("compact", 5000),
    show(2, 5100),
  );
  expect(votes(run(state, answer("compact", 6000))).map((vote) => vote.remarks)).toEqual([
    remarks,
    undefined,
  ]);
});

test.each([
  ["answered", "You have answered that one before. Here is another."],
  ["retired", "That one is settled by now. Here is another."],
  ["unknown", "That one is not asked here any more. Here is another."],
] as const)("an item of a link that is %s is told of once", (missing, words) => {
  const state = run(fresh(), { type: "served", supply: "items", items: [item(1)], missing });
  expect(state.notice).toBe(words);
  expect(state.said).toBe(`${words} Prototype 1: 9 members. What shape?`);
  expect(run(state, show(1), answer("compact")).notice).toBeNull();
});

test("a vote of another campaign that is refused does not end this one", () => {
  const elsewhere = run(looking(), answer("compact", 5000, "u")).unsent;
  const state = run(beginning(TREE, 1, elsewhere), serve(7), refuse("u", 409, "campaign_closed"));
  expect(state.end).toBeNull();
  expect(state.unsent).toEqual([]);
  expect(state.notice).toBe("In the server's words.");
});

// Marks ---------------------------------------------------------------------------------------
const MARKING: Tree = {
  ...TREE,
  questions: {
    ...TREE.questions,
    shape: {
      text: "What shape?",
      answers: [
        { key: "compact", label: "Compact" },
        { key: "odd", label: "Odd", asks_marks: true },
      ],
    },
  },
  marks: [{ key: "host", label: "Host", shape: "point", most: 1 }],
};
const spot = (x_arcsec: number): SentMark => ({
  role: "host",
  shape: "point",
  x_arcsec,
  y_arcsec: 0,
});
const mark = (x_arcsec: number): Event => ({ type: "marks_put", marks: [spot(x_arcsec)] });
const done = (now: number): Event => ({
  type: "marks_done",
  uuid: "m",
  now,
  clock: new Date("2026-11-23T10:00:00Z"),
});
const lookingToMark = () => run(beginning(MARKING, 1, []), serve(1, 2), show(1));

test("marking follows an answer that asks for it, and then the vote goes out", () => {
  const asking = run(lookingToMark(), answer("odd"));
  expect(asking.marking?.answer?.path).toEqual(["odd"]);
  expect(asking.unsent).toEqual([]);
  const state = run(asking, mark(1), done(6000));
  expect(votes(state)).toMatchObject([{ path: ["odd"], marks: [spot(1)] }]);
  expect([state.marking, state.marks]).toEqual([null, []]);
});

test("marks that were made ahead of the answer go with it", () => {
  const opened = run(lookingToMark(), { type: "marking_opened" }, mark(1), done(3000));
  expect([opened.marking, opened.unsent.length]).toEqual([null, 0]);
  expect(votes(run(opened, answer("compact")))[0]?.marks).toEqual([spot(1)]);
});

test("back from the marks leads to the question, and marks stay", () => {
  const back = run(lookingToMark(), answer("odd"), mark(1), { type: "back" });
  expect([back.marking, back.unsent.length, back.marks.length]).toEqual([null, 0, 1]);
});

test("marks are put only while places are marked", () => {
  const opened = run(lookingToMark(), { type: "marking_opened" }, mark(1), mark(2));
  expect(opened.marks).toEqual([spot(2)]);
  expect(run(opened, { type: "back" }, mark(3)).marks).toEqual([spot(2)]);
});

test("an answer that asks for marks goes out at once where the scale is unknown", () => {
  const main = { ...picture("/1"), scale_arcsec: null };
  const served: Event = { type: "served", supply: "items", items: [{ ...item(1), main }] };
  const state = run(beginning(MARKING, 1, []), served, show(1), answer("odd"));
  expect(votes(state)).toMatchObject([{ path: ["odd"] }]);
});

test("nothing is marked in a grid, nor where the tree has no roles", () => {
  const open: Event = { type: "marking_opened" };
  const sortingToMark = run(beginning(MARKING, 1, []), serveGrid, show(1));
  expect(run(sortingToMark, open).marking).toBeNull();
  expect(run(looking(), open).marking).toBeNull();
});
