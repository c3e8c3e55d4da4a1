// The officer's tasks: as the server tells them, with what was answered here and is not there yet laid over.
import type { DispatchState, TaskView } from "../wire.generated";
import type { Answer } from "./outbox";

const RANK: Readonly<Record<DispatchState, number>> = {
  queued: 0,
  sent: 1,
  received: 2,
  accepted: 3,
  under_way: 4,
  arrived: 5,
  cleared: 6,
  declined: 7,
  recalled: 8,
};

/** How a task ended. `gone`: the server lists it no longer, and we were not there when it ended. */
export type Ending = "cleared" | "declined" | "recalled" | "gone";

export interface ShownTask {
  readonly task: TaskView;
  /** The server's state, or what was answered here after it. */
  readonly state: DispatchState;
  /** The newest answer that is not yet sent. */
  readonly unsent: Answer | null;
  readonly ending: Ending | null;
}

export type TaskNews = "new" | "recalled" | "changed";

/** True while nobody has said yes or no. */
export const isWaiting = (state: DispatchState): boolean => RANK[state] < RANK.accepted;

/** True while the officer is on it: positions come each second then. */
export const isAtWork = (state: DispatchState): boolean => state === "accepted" || state === "under_way";

const endingOf = (state: DispatchState): Ending | null =>
  state === "cleared" || state === "declined" || state === "recalled" ? state : null;

/** The state with the unsent answers laid over; what the server ended stays ended. */
export function stateWith(told: DispatchState, unsent: readonly Answer[]): DispatchState {
  if (endingOf(told)) return told;
  return unsent.reduce<DispatchState>((state, { answer }) => (RANK[answer] > RANK[state] ? answer : state), told);
}

export class TaskBook {
  private tasks = new Map<number, TaskView>();
  private gone = new Set<number>();
  private dismissed = new Set<number>();

  /** Take one task as it stands; says what is new about it, null if nothing. */
  take(task: TaskView): TaskNews | null {
    const { dispatch_id, state } = task.dispatch;
    const known = this.tasks.get(dispatch_id);
    if (known && JSON.stringify(known) === JSON.stringify(task)) return null;
    this.tasks.set(dispatch_id, task);
    this.gone.delete(dispatch_id);
    if (!known) return endingOf(state) ? "changed" : "new";
    return state === "recalled" && known.dispatch.state !== "recalled" ? "recalled" : "changed";
  }

  /** Take the whole list of what is not over: what was open here and is not in it, ended while we were away. */
  takeList(tasks: readonly TaskView[]): TaskNews[] {
    const listed = new Set(tasks.map((task) => task.dispatch.dispatch_id));
    const news: TaskNews[] = [];
    for (const [id, { dispatch }] of this.tasks) {
      if (listed.has(id) || endingOf(dispatch.state) || this.gone.has(id)) continue;
      this.gone.add(id);
      news.push("recalled");
    }
    for (const task of tasks) {
      const what = this.take(task);
      if (what) news.push(what);
    }
    return news;
  }

  /** The officer has read that it is over. */
  dismiss(dispatchId: number): void {
    this.dismissed.add(dispatchId);
  }

  /** Every task of this visit, newest first. */
  all(unsentOf: (dispatchId: number) => readonly Answer[]): ShownTask[] {
    const shown = [...this.tasks.values()].map((task): ShownTask => {
      const id = task.dispatch.dispatch_id;
      const unsent = unsentOf(id).filter(({ answer }) => answer !== "received");
      const state = stateWith(task.dispatch.state, unsent);
      return { task, state, unsent: unsent.at(-1) ?? null, ending: this.gone.has(id) ? "gone" : endingOf(state) };
    });
    return shown.sort((a, b) => b.task.dispatch.queued_ms - a.task.dispatch.queued_ms);
  }

  /** Those that want the officer: open ones, and what others ended until it was read. */
  current(unsentOf: (dispatchId: number) => readonly Answer[]): ShownTask[] {
    return this.all(unsentOf).filter(
      ({ task, ending }) =>
        ending === null ||
        ((ending === "recalled" || ending === "gone") && !this.dismissed.has(task.dispatch.dispatch_id)),
    );
  }
}

/** When each step happened, milliseconds; an unsent answer's own time where the server has none. */
export interface Step {
  readonly name: "pushed" | "delivered" | "accepted" | "under_way" | "arrived" | "cleared";
  readonly atMs: number | null;
  readonly byTrack: boolean;
  readonly unsent: boolean;
}

/** The receipts of a task in their order. */
export function stepsOf({ task, unsent }: ShownTask, unsentAnswers: readonly Answer[]): Step[] {
  const { dispatch } = task;
  const step = (name: Step["name"], told: number | null, byTrack = false): Step => {
    const said = told === null ? unsentAnswers.find(({ answer }) => answer === name) : undefined;
    return { name, atMs: told ?? said?.saidMs ?? null, byTrack, unsent: said !== undefined && unsent !== null };
  };
  return [
    step("pushed", dispatch.sent_ms ?? dispatch.queued_ms),
    step("delivered", dispatch.received_ms),
    step("accepted", dispatch.accepted_ms),
    step("under_way", dispatch.under_way_ms),
    step("arrived", dispatch.arrived_ms, dispatch.arrived_by === "track"),
    step("cleared", dispatch.cleared_ms),
  ];
}

/** The receipts line: the next step and the two before it. */
export function stepsShown(steps: readonly Step[]): readonly Step[] {
  const last = steps.findLastIndex((step) => step.atMs !== null);
  const end = Math.min(steps.length, Math.max(3, last + 2));
  return steps.slice(end - 3, end);
}
