import { expect, test } from "vitest";
import { ApiError } from "./api";
import {
  advance,
  asked,
  beginning,
  type Event,
  HELD,
  held,
  type Item,
  isOffline,
  SHORTEST_LOOK_MS,
  type State,
  wanted,
} from "./classifying";
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
    ends: { text: "Where is it brightest?", answers: [{ key: "frii", label: "At the ends" }] },
  },
};

const item = (id: number, question_version = 1): Item => ({
  id,
  kind: "prototype",
  question_version,
  title: `Prototype ${id}`,
  description: `Prototype ${id}: 9 members`,
  main: { url: `/${id}.png`, alt: "", subject_id: null },
  members: [],
  context: {},
  page_url: `/prototypes/${id}/`,
});

const run = (state: State, ...events: Event[]) => events.reduce(advance, state);
const serve = (...ids: number[]): Event => ({
  type: "served",
  supply: "items",
  items: ids.map((id) => item(id)),
});
const show = (id: number, now = 1000): Event => ({ type: "shown", item: id, now });
const answer = (key: string, now = 5000, uuid = `uuid-of-${key}-${now}`): Event => ({
  type: "answered",
  key,
  uuid,
  now,
  clock: new Date("2026-11-23T10:00:00Z"),
});
const refuse = (uuid: string | null, status: number, code: string): Event => ({
  type: "refused",
  uuid,
  error: new ApiError(status, code, "In the server's words."),
});

const fresh = () => beginning(TREE, 1, []);
const looking = () => run(fresh(), serve(1, 2, 3, 4), show(1));

test("it asks for one item to show and three to come", () => {
  expect(wanted(fresh())).toBe(HELD);
  expect(wanted(run(fresh(), serve(1, 2)))).toBe(2);
  expect(wanted(run(fresh(), serve(1, 2, 3, 4)))).toBe(0);
});

test("an answer becomes a vote and the next item is shown at once", () => {
  const state = run(looking(), answer("compact", 5000, "u"));
  expect(state.unsent).toEqual([
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
  expect(run(second, answer("frii", 9000)).unsent[0]?.path).toEqual(["double", "frii"]);
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
  const state = run(looking(), answer("compact", 5000, "u"), { type: "taken", uuid: "u" });
  expect(state.unsent).toEqual([]);
  expect(state.answered).toBe(1);
});

test("without a connection votes wait and going on is possible", () => {
  const state = run(looking(), answer("compact", 5000, "u"), refuse("u", 0, "unreachable"));
  expect(isOffline(state)).toBe(true);
  expect(state.unsent).toHaveLength(1);
  expect(run(state, show(2), answer("compact", 9000)).unsent).toHaveLength(2);
  expect(isOffline(run(state, { type: "taken", uuid: "u" }))).toBe(false);
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

test("an unknown volunteer is asked to allow cookies and loses no vote", () => {
  const state = run(looking(), answer("compact", 5000, "u"), refuse("u", 403, "volunteer_unknown"));
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
  expect(wanted(run(last, { type: "taken", uuid: "u" }))).toBe(HELD);
});

test("a server that serves nothing new is not asked forever", () => {
  expect(run(fresh(), serve()).end).toBe("seen_all");
});

test("a picture that does not come can be passed over", () => {
  const state = run(looking(), { type: "passed_over", item: 1 });
  expect(state.queue[0]?.id).toBe(2);
  expect(state.unsent).toEqual([]);
});

test("votes of an earlier visit wait until the server knows the volunteer again", () => {
  const earlier = run(looking(), answer("compact")).unsent;
  const state = beginning(TREE, 1, earlier);
  expect(held(state)).toEqual([1]);
  expect(state.hasBegun).toBe(false);
  expect(wanted(state)).toBe(HELD);
  expect(run(state, serve(1, 2)).hasBegun).toBe(true);
});
