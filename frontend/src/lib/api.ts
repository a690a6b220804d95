/** Talks to the site's own API: JSON in, JSON out, every failure an `ApiError`. */
import { t } from "./words";

/** What the API refused, or that it could not be reached (`status` 0). */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether the same request may succeed later, unchanged. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Longer than any answer takes; a train in a tunnel must not keep all that follows waiting. */
const LONGEST_WAIT_MS = 20_000;

export interface Request {
  method: "POST" | "PUT" | "DELETE";
  address: string;
  body?: unknown;
}

export async function post<Result>(address: string, body: unknown): Promise<Result> {
  return send({ method: "POST", address, body });
}

export async function send<Result>({ method, address, body }: Request): Promise<Result> {
  const response = await reach(address, {
    method,
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(document.cookie) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return resultOf(response);
}

export async function get<Result>(address: string): Promise<Result> {
  const response = await reach(address, {
    credentials: "same-origin",
    headers: { Accept: "application/json" },
  });
  return resultOf(response);
}

/** Has the site set the token's cookie again: every page does so that holds a form or an island. */
export async function refreshToken(): Promise<void> {
  await reach(location.pathname, { credentials: "same-origin" });
}

/** Django's token out of the browser's cookies; empty when there is none. */
export function csrfToken(cookies: string): string {
  const found = /(?:^|;\s*)csrftoken=([^;]*)/.exec(cookies);
  return decodeURIComponent(found?.[1] ?? "");
}

/**
 * The error in the API's one shape. Where it is missing the site was not reached: a server that is
 * down, or the log-in page of a café's network, has answered in its place.
 */
export function refusalOf(status: number, answer: unknown): ApiError {
  const error = (answer as { error?: { code?: string; message?: string } } | null)?.error;
  if (error?.code) return new ApiError(status, error.code, error.message ?? error.code);
  const message = t("The server answered with status {status}.", { status });
  return new ApiError(status >= 500 ? status : 0, "unknown", message);
}

async function reach(address: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(address, { ...request, signal: AbortSignal.timeout(LONGEST_WAIT_MS) });
  } catch {
    throw new ApiError(0, "unreachable", t("The server cannot be reached."));
  }
}

async function resultOf<Result>(response: Response): Promise<Result> {
  if (response.status === 204) return null as Result;
  const answer = await jsonOf(response);
  if (response.ok && answer !== null) return answer as Result;
  throw refusalOf(response.status, answer);
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}
