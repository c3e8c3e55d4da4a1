// An order to a drone in two steps: what it costs is asked for when it is begun, and it is given only when it is confirmed.
import { useSyncExternalStore } from "react";
import { RequestError, write } from "../api/client";
import { live } from "../live/live";
import { changeDesk, getDesk } from "../state/desk";
import { TWICE_MS } from "../ui/hold";
import type { ActionPrepared, DueView, FlightAction, FlightReply, WantAction } from "../wire.generated";

export type Want = Pick<WantAction, "action"> & Partial<Omit<WantAction, "action" | "token">>;

/** What is about to be ordered: `prepared` null while its cost is asked for. */
export interface Pending {
  readonly unitId: number;
  readonly want: Want;
  readonly prepared: ActionPrepared | null;
  readonly error: RequestError | null;
  readonly begunAtMs: number;
  readonly isOrdering: boolean;
}

let pending: Pending | null = null;
let preparing: Promise<ActionPrepared | null> = Promise.resolve(null);
const listeners = new Set<() => void>();

function set(next: Pending | null): void {
  pending = next;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const getPending = (): Pending | null => pending;
export const usePending = (): Pending | null => useSyncExternalStore(subscribe, getPending);
export const cancelOrder = (): void => set(null);

const isSame = (one: Pending | null, unitId: number, want: Want): boolean =>
  one !== null && one.unitId === unitId && JSON.stringify(one.want) === JSON.stringify(want);

/** Ask what an order costs; the same again asks only once its answer is too old to confirm. */
export function begin(unitId: number, want: Want): void {
  const isFresh = isSame(pending, unitId, want) && !pending?.error && !isTooOld(pending?.prepared ?? null);
  if (isFresh) return;
  const asked: Pending = { unitId, want, prepared: null, error: null, begunAtMs: Date.now(), isOrdering: false };
  set(asked);
  preparing = write<ActionPrepared>("POST", `/api/flights/${unitId}/actions/prepare`, want).then(
    (prepared) => {
      if (pending === asked) set({ ...asked, prepared });
      return prepared;
    },
    (error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
      if (pending === asked) set({ ...asked, error });
      return null;
    },
  );
}

/** Whether the rules refuse what was asked: then there is nothing to confirm. */
export const isRefused = (prepared: ActionPrepared): boolean => prepared.refusals.some((one) => !one.is_warning);

const isTooOld = (prepared: ActionPrepared | null): boolean =>
  prepared !== null && prepared.valid_until_ms <= live.nowMs();

/** Give the order that was begun, as soon as its cost is known. */
export async function confirm(): Promise<void> {
  const asked = pending;
  if (!asked) return;
  const prepared = await preparing;
  if (!prepared || isRefused(prepared) || !isSame(pending, asked.unitId, asked.want)) return;
  set({ ...asked, prepared, isOrdering: true });
  try {
    const reply = await write<FlightReply>("POST", `/api/flights/${asked.unitId}/actions`, {
      ...asked.want,
      token: prepared.token,
    });
    if (reply) live.putFlight(reply.flight);
    set(null);
    changeDesk({ picking: "none", picked: null });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    set({ ...asked, prepared, error, isOrdering: false });
  }
}

/** A key pressed: the first time asks what it costs, the second soon enough gives the order. */
export function press(unitId: number, action: FlightAction): void {
  const isSecond = isSame(pending, unitId, { action }) && Date.now() - (pending?.begunAtMs ?? 0) <= TWICE_MS;
  if (isSecond) void confirm();
  else begin(unitId, { action });
}

/** Choose on the map where a drone shall fly. */
export function pickGoal(): void {
  cancelOrder();
  changeDesk({ picking: getDesk().picking === "goTo" ? "none" : "goTo", picked: null });
}

/** Change who is in control; resolves to the error that kept it from being changed. */
export const changeControl = (unitId: number, how: string, body?: unknown): Promise<RequestError | null> =>
  changeFlight(`/api/flights/${unitId}/control/${how}`, body);

/** Give a drone a sortie that is due; resolves to the error that kept it from being given. */
export const takeDue = ({ unit_id, plan_id, sortie_id }: DueView): Promise<RequestError | null> =>
  changeFlight(`/api/flights/${unit_id}/sortie`, { plan_id, sortie_id });

/** Give back the sortie that a drone has and has not left for; resolves to the error that kept it from being given back. */
export const giveBack = (unitId: number): Promise<RequestError | null> =>
  changeFlight(`/api/flights/${unitId}/sortie`, undefined, "DELETE");

async function changeFlight(
  path: string,
  body?: unknown,
  method: "POST" | "DELETE" = "POST",
): Promise<RequestError | null> {
  try {
    const reply = await write<FlightReply>(method, path, body);
    if (reply) live.putFlight(reply.flight);
    return null;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}
