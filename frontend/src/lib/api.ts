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

export async function post<Result>(address: string, body: unknown): Promise<Result> {
  const response = await reach(address, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(document.cookie) },
    body: JSON.stringify(body),
  });
  const answer = await jsonOf(response);
  if (response.ok) return answer as Result;
  throw refusalOf(response.status, answer);
}

export async function get<Result>(address: string): Promise<Result> {
  const response = await reach(address, {
    credentials: "same-origin",
    headers: { Accept: "application/json" },
  });
  const answer = await jsonOf(response);
  if (response.ok) return answer as Result;
  throw refusalOf(response.status, answer);
}

/** Django's token out of the browser's cookies; empty when there is none. */
export function csrfToken(cookies: string): string {
  const found = /(?:^|;\s*)csrftoken=([^;]*)/.exec(cookies);
  return decodeURIComponent(found?.[1] ?? "");
}

/** The error in the API's one shape, or one made from the bare status. */
export function refusalOf(status: number, answer: unknown): ApiError {
  const error = (answer as { error?: { code?: string; message?: string } } | null)?.error;
  const message = error?.message ?? t("The server answered with status {status}.", { status });
  return new ApiError(status, error?.code ?? "unknown", message);
}

async function reach(address: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(address, request);
  } catch {
    throw new ApiError(0, "unreachable", t("The server cannot be reached."));
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}
