import { expect, test } from "vitest";
import { ApiError, csrfToken, refusalOf } from "./api";

test("the token is found among other cookies", () => {
  expect(csrfToken("theme=dark; csrftoken=abc%3D; sessionid=x")).toBe("abc=");
  expect(csrfToken("notcsrftoken=abc")).toBe("");
});

test("a refusal keeps the server's code and words", () => {
  const body = { error: { code: "item_retired", message: "It has enough votes.", fields: {} } };
  const error = refusalOf(409, body);
  expect(error).toBeInstanceOf(ApiError);
  expect([error.status, error.code, error.message]).toEqual([
    409,
    "item_retired",
    "It has enough votes.",
  ]);
});

test("an answer that is no JSON still makes a sentence", () => {
  expect(refusalOf(502, null).message).toBe("The server answered with status 502.");
});

test("what others answer in the site's place may pass", () => {
  expect([200, 404, 502].map((status) => refusalOf(status, null).isPassing)).toEqual([
    true,
    true,
    true,
  ]);
});

test("only what may pass by itself is tried again", () => {
  const isPassing = (status: number) => new ApiError(status, "", "").isPassing;
  expect([0, 429, 500, 503].map(isPassing)).toEqual([true, true, true, true]);
  expect([400, 403, 404, 409].map(isPassing)).toEqual([false, false, false, false]);
});
