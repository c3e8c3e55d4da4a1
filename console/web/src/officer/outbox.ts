// What an officer said and the server has not heard yet: calls for help first, then answers, each until it is taken.
import type { DispatchState, PositionReport } from "../wire.generated";
import { readKept, type Shelf } from "./keeper";

export type TaskAnswer = Extract<
  DispatchState,
  "received" | "accepted" | "declined" | "under_way" | "arrived" | "cleared"
>;

interface Said {
  /** Sorts by the moment at which it was said. */
  readonly id: string;
  readonly saidMs: number;
}

export interface HelpCall extends Said {
  readonly kind: "sos";
  readonly position: PositionReport | null;
}

export interface HelpOver extends Said {
  readonly kind: "sosOver";
}

export interface Answer extends Said {
  readonly kind: "answer";
  readonly dispatchId: number;
  readonly answer: TaskAnswer;
  readonly reason: string;
}

export type Outgoing = HelpCall | HelpOver | Answer;
type Unnumbered = Omit<HelpCall, "id"> | Omit<HelpOver, "id"> | Omit<Answer, "id">;

const PREFIX = "out.";
const isHelp = (item: Outgoing): boolean => item.kind !== "answer";

/** What is still to be sent. Each item has its own key, so that two open pages never overwrite one another's. */
export class Outbox {
  private items: Outgoing[] = [];
  private count = 0;

  constructor(private readonly shelf: Shelf) {
    for (const key of shelf.keys()) {
      const item = key.startsWith(PREFIX) ? readKept<Outgoing>(shelf.get(key)) : null;
      if (item) this.items.push(item);
    }
    this.items.sort(bySaying);
  }

  /** Keep it, durable before this returns. */
  add(said: Unnumbered): Outgoing {
    const item = { ...said, id: `${String(Math.round(said.saidMs)).padStart(14, "0")}-${this.count++}` } as Outgoing;
    this.items.push(item);
    this.items.sort(bySaying);
    this.shelf.set(PREFIX + item.id, JSON.stringify(item));
    return item;
  }

  /** Add what became known of a call after it was kept. */
  amend(item: Outgoing, part: Pick<HelpCall, "position">): void {
    this.items = this.items.map((each) => (each.id === item.id ? ({ ...each, ...part } as Outgoing) : each));
    const amended = this.items.find((each) => each.id === item.id);
    if (amended) this.shelf.set(PREFIX + item.id, JSON.stringify(amended));
  }

  /** Forget what the server took, or refused for good. */
  remove(item: Outgoing): void {
    this.items = this.items.filter((each) => each.id !== item.id);
    this.shelf.remove(PREFIX + item.id);
  }

  /** What goes out next: help before answers, each in the order of saying. */
  next(): Outgoing | null {
    return this.items.find(isHelp) ?? this.items[0] ?? null;
  }

  all(): readonly Outgoing[] {
    return this.items;
  }

  /** The unsent answers to one task, oldest first. */
  answersOf(dispatchId: number): Answer[] {
    return this.items.filter((item): item is Answer => item.kind === "answer" && item.dispatchId === dispatchId);
  }
}

function bySaying(a: Outgoing, b: Outgoing): number {
  return a.id < b.id ? -1 : 1;
}
