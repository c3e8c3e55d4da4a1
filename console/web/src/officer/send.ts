// Sends what the officer said, one request at a time, and says what became of it: taken, try later, or refused for good.
import { RequestError, write } from "../api/client";
import type { PositionReport, SosReport, TaskReply, TaskView } from "../wire.generated";
import type { Outgoing } from "./outbox";

/** A request without an answer for so long is tried again: a weak network must not hold a call for help. */
const PATIENCE_MS = 8000;
const TOO_MANY = 429;
const TIMED_OUT = 408;
const SIGNED_OUT = 401;

export type Outcome =
  | { readonly became: "taken"; readonly task: TaskView | null }
  | { readonly became: "later"; readonly error: RequestError }
  | { readonly became: "refused"; readonly error: RequestError };

async function post<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T | null> {
  try {
    return await write<T>(method, path, body, AbortSignal.timeout(PATIENCE_MS));
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) throw new RequestError(0, "error.network");
    throw error;
  }
}

/** True where trying again may help: no connection, a server that is busy or away, a session that can begin anew. */
export function mayRecover(status: number): boolean {
  return status === 0 || status >= 500 || status === TOO_MANY || status === TIMED_OUT || status === SIGNED_OUT;
}

async function outcomeOf(asked: Promise<TaskReply | null>): Promise<Outcome> {
  try {
    return { became: "taken", task: (await asked)?.task ?? null };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { became: mayRecover(error.status) ? "later" : "refused", error };
  }
}

/** Send one thing that was said. A call for help whose place is refused goes again without it. */
export async function send(item: Outgoing): Promise<Outcome> {
  if (item.kind === "answer") {
    const body = { answer: item.answer, answered_ms: item.saidMs, reason: item.reason };
    return outcomeOf(post<TaskReply>("POST", `/api/me/tasks/${item.dispatchId}`, body));
  }
  if (item.kind === "sosOver") return outcomeOf(post("DELETE", "/api/me/sos").then(() => null));
  const call: SosReport = { observed_ms: item.saidMs, position: item.position };
  const first = await outcomeOf(post("POST", "/api/me/sos", call).then(() => null));
  if (first.became !== "refused" || item.position === null) return first;
  return outcomeOf(post("POST", "/api/me/sos", { ...call, position: null }).then(() => null));
}

/** Send one position. */
export function sendFix(fix: PositionReport): Promise<Outcome> {
  return outcomeOf(post("POST", "/api/me/position", fix).then(() => null));
}
