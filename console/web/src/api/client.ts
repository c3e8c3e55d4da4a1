// Requests to our own server: same origin, cookie session, one header on every write, errors as words.
import type { TextKey } from "../i18n/zh";
import type { Figures } from "../i18n/text";
import type { ErrorReply } from "../wire.generated";

/** A refusal or a silence; `key` is the text to show, `detail` the server's own sentence. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    readonly key: TextKey,
    readonly figures: Figures = {},
    readonly detail = "",
  ) {
    super(`${key} ${status}`);
  }
}

function keyOf(status: number): TextKey {
  if (status === 403) return "error.forbidden";
  if (status === 404) return "error.notFound";
  return "error.status";
}

/** The server's own sentence in the person's language; where it has none in Chinese, as it has it. */
export async function detailOf(response: Response): Promise<string> {
  if (!response.headers.get("content-type")?.includes("json")) return "";
  const { detail, detail_zh } = (await response.json()) as Partial<ErrorReply>;
  const said = detail_zh && document.documentElement.lang.startsWith("zh") ? detail_zh : detail;
  return typeof said === "string" ? said : "";
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", redirect: "error", ...init });
  } catch (error) {
    if (error instanceof TypeError) throw new RequestError(0, "error.network");
    throw error;
  }
  if (response.ok) return response;
  throw new RequestError(
    response.status,
    keyOf(response.status),
    { status: response.status },
    await detailOf(response),
  );
}

/** Read a JSON document. */
export async function get<T>(path: string): Promise<T> {
  return (await ask(path, { headers: { Accept: "application/json" } })).json() as Promise<T>;
}

/** Write, with the header that no other site can send; `signal` may cut it short (DOMException). */
export async function write<T>(
  method: "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T | null> {
  const response = await ask(path, {
    method,
    signal,
    headers: { "Content-Type": "application/json", "X-Skybeat": "1" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await response.text();
  return said ? (JSON.parse(said) as T) : null;
}
