// The officer's page below its surface: what is kept, what is sent first, how it stands.
import { describe, expect, it } from "vitest";
import { FixQueue } from "../src/officer/fixQueue";
import { helpOf, openCall } from "../src/officer/help";
import { Hold } from "../src/ui/hold";
import { MemoryShelf } from "../src/officer/keeper";
import { Outbox } from "../src/officer/outbox";
import { Pump, type Turn } from "../src/officer/pump";
import { type Place, remainingOf } from "../src/officer/route";
import { mayRecover } from "../src/officer/send";
import { type SharingFacts, sharingOf, toneOfSharing } from "../src/officer/sharing";
import { stateWith, stepsOf, stepsShown, TaskBook } from "../src/officer/taskBook";
import type { Alarm, DispatchView, PositionReport, TaskView } from "../src/wire.generated";

const fix = (observed_ms: number): PositionReport => ({ observed_ms, lat_deg: 36, lon_deg: 103.8 });

const NOT_YET = {
  received_ms: null,
  accepted_ms: null,
  under_way_ms: null,
  arrived_ms: null,
  cleared_ms: null,
  recalled_ms: null,
};

function task(id: number, part: Partial<DispatchView> = {}): TaskView {
  const sent = { dispatch_id: id, unit_id: 2, state: "sent", queued_ms: id * 1000, sent_ms: id * 1000 + 5 };
  const dispatch = { ...NOT_YET, ...sent, ...part };
  return { dispatch, incident: { title: `call ${id}` }, way: [], companions: [] } as unknown as TaskView;
}

function sos(part: Partial<Alarm> = {}): Alarm {
  return {
    alarm_id: "sos-1",
    number: 1,
    kind: "sos",
    priority: 1,
    device_id: 9,
    unit_id: 2,
    raised_us: 5_000_000,
    state: "raised",
    text: "",
    acknowledged_us: null,
    acknowledged_by: null,
    ended_us: null,
    escalated_us: null,
    observed_us: 1,
    is_late: false,
    code: "",
    geofence_id: null,
    owner_id: null,
    owner: null,
    note: "",
    closed_by: null,
    ...part,
  };
}

const none = (): [] => [];

describe("an officer's outbox", () => {
  it("sends a call for help before every answer, and answers in the order in which they were given", () => {
    const outbox = new Outbox(new MemoryShelf());
    outbox.add({ kind: "answer", saidMs: 100, dispatchId: 1, answer: "accepted", reason: "" });
    outbox.add({ kind: "answer", saidMs: 200, dispatchId: 1, answer: "arrived", reason: "" });
    outbox.add({ kind: "sos", saidMs: 300, position: null });
    const order: string[] = [];
    for (let item = outbox.next(); item; item = outbox.next()) {
      order.push(item.kind === "answer" ? item.answer : item.kind);
      outbox.remove(item);
    }
    expect(order).toEqual(["sos", "accepted", "arrived"]);
  });

  it("is there again after a reload, and what was sent is not", () => {
    const shelf = new MemoryShelf();
    const before = new Outbox(shelf);
    before.remove(before.add({ kind: "answer", saidMs: 100, dispatchId: 1, answer: "accepted", reason: "" }));
    before.add({ kind: "sos", saidMs: 300, position: null });
    const after = new Outbox(shelf);
    expect(after.all().map((item) => item.kind)).toEqual(["sos"]);
  });

  it("loses no call for help to another open page: each item has a key of its own", () => {
    const shelf = new MemoryShelf();
    const [one, other] = [new Outbox(shelf), new Outbox(shelf)];
    one.add({ kind: "sos", saidMs: 300, position: null });
    other.add({ kind: "answer", saidMs: 310, dispatchId: 4, answer: "accepted", reason: "" });
    expect(new Outbox(shelf).all()).toHaveLength(2);
  });

  it("adds the place to a call that was kept before the place was known", () => {
    const shelf = new MemoryShelf();
    const outbox = new Outbox(shelf);
    const call = outbox.add({ kind: "sos", saidMs: 300, position: null });
    outbox.amend(call, { position: fix(290) });
    expect(new Outbox(shelf).next()).toMatchObject({ kind: "sos", position: { observed_ms: 290 } });
  });

  it("skips kept words that are none of ours", () => {
    const shelf = new MemoryShelf();
    shelf.set("out.x", "{broken");
    expect(new Outbox(shelf).next()).toBeNull();
  });
});

describe("kept positions", () => {
  it("go out oldest first and survive a reload", () => {
    const shelf = new MemoryShelf();
    const queue = new FixQueue(shelf);
    for (const at of [1, 2, 3]) queue.push(fix(at));
    queue.taken(queue.head(1));
    expect(new FixQueue(shelf).head(9).map((each) => each.observed_ms)).toEqual([2, 3]);
  });

  it("become coarser in their older half when there are too many, and never shorter", () => {
    const queue = new FixQueue(new MemoryShelf(), 8);
    for (let at = 1; at <= 9; at++) queue.push(fix(at));
    expect(queue.head(99).map((each) => each.observed_ms)).toEqual([1, 3, 5, 6, 7, 8, 9]);
  });
});

describe("the pump", () => {
  it("waits longer and longer while nothing gets through, and starts at once when asked", async () => {
    let nowMs = 0;
    let tries = 0;
    let answer: Turn = "later";
    const pump = new Pump(
      async () => {
        tries++;
        return answer;
      },
      4000,
      () => nowMs,
    );
    const settle = (): Promise<void> => Promise.resolve().then(() => undefined);
    const triedAt: number[] = [];
    for (nowMs = 0; nowMs <= 12_000; nowMs += 500) {
      const before = tries;
      pump.soon();
      await settle();
      if (tries > before) triedAt.push(nowMs);
    }
    expect(triedAt).toEqual([0, 1000, 3000, 7000, 11_000]);
    expect(pump.isStuck).toBe(true);
    answer = "done";
    pump.now();
    await settle();
    expect(pump.isStuck).toBe(false);
  });
});

describe("the sharing of one's place", () => {
  const facts: SharingFacts = {
    on: true,
    permission: "granted",
    sinceMs: 0,
    fixAtMs: 100_000,
    accuracyM: 8,
    keptCount: 0,
    isOffline: false,
    refusal: "",
  };
  it.each([
    ["off", { on: false }],
    ["off", { on: false, permission: "denied" }],
    ["denied", { permission: "denied" }],
    ["unsupported", { permission: "unsupported" }],
    ["asking", { permission: "unknown", fixAtMs: null, accuracyM: null }],
    ["refused", { refusal: "no unit" }],
    ["offline", { isOffline: true, keptCount: 12 }],
    ["noFix", { fixAtMs: 70_000, sinceMs: 0 }],
    ["weak", { accuracyM: 80 }],
    ["sharing", {}],
    ["sharing", { accuracyM: null }],
  ] as const)("is %s when %o", (state, part) => {
    expect(sharingOf({ ...facts, ...part }, 101_000)).toBe(state);
  });

  it("is calm only while it works or was not wanted", () => {
    expect(toneOfSharing("sharing")).toBe("calm");
    expect(toneOfSharing("off")).toBe("calm");
    expect(toneOfSharing("weak")).toBe("attn");
    expect(toneOfSharing("denied")).toBe("alarm");
  });
});

describe("holding", () => {
  it("is done after 0.8 s, not before", () => {
    const hold = new Hold();
    hold.down(0);
    expect(hold.held(799)).toBe(false);
    expect(hold.share(400)).toBe(0.5);
    expect(hold.held(800)).toBe(true);
    expect(hold.held(900)).toBe(false);
  });

  it("is done by a second press within 1.5 s, not by a later one", () => {
    const hold = new Hold();
    expect(hold.down(0)).toBe(false);
    hold.up(100);
    expect(hold.down(1600)).toBe(true);
    hold.down(5000);
    hold.up(5100);
    expect(hold.down(6601)).toBe(false);
  });

  it("counts no press for a finger that slid away", () => {
    const hold = new Hold();
    hold.down(0);
    hold.cancel();
    hold.up(10);
    expect(hold.down(100)).toBe(false);
  });
});

describe("the task book", () => {
  it("tells a new task once, whatever the stream repeats", () => {
    const book = new TaskBook();
    expect(book.take(task(1))).toBe("new");
    expect(book.take(task(1))).toBeNull();
    expect(book.take(task(1, { state: "received" }))).toBe("changed");
  });

  it("lays unsent answers over the server's state and keeps what the server ended", () => {
    const accepted = { answer: "accepted" } as never;
    expect(stateWith("received", [accepted])).toBe("accepted");
    expect(stateWith("under_way", [accepted])).toBe("under_way");
    expect(stateWith("recalled", [accepted])).toBe("recalled");
  });

  it("shows the newest first, and a recalled one until it was read", () => {
    const book = new TaskBook();
    book.take(task(1));
    book.take(task(2));
    expect(book.current(none).map((shown) => shown.task.dispatch.dispatch_id)).toEqual([2, 1]);
    expect(book.take(task(2, { state: "recalled", recalled_ms: 9 }))).toBe("recalled");
    expect(book.current(none)[0]).toMatchObject({ ending: "recalled" });
    book.dismiss(2);
    expect(book.current(none)).toHaveLength(1);
    expect(book.all(none)).toHaveLength(2);
  });

  it("says that a task is over when the server lists it no longer after an offline time", () => {
    const book = new TaskBook();
    book.take(task(1));
    expect(book.takeList([task(2)])).toEqual(["recalled", "new"]);
    expect(book.current(none).map((shown) => shown.ending)).toEqual([null, "gone"]);
    expect(book.takeList([task(2)])).toEqual([]);
  });

  it("shows the next receipt and the two before it, an unsent answer with its own time", () => {
    const book = new TaskBook();
    book.take(task(1, { state: "received", received_ms: 1100 }));
    const [shown] = book.current(none);
    expect(stepsShown(stepsOf(shown!, [])).map((step) => step.name)).toEqual(["pushed", "delivered", "accepted"]);
    const said = [{ kind: "answer", id: "1", saidMs: 1200, dispatchId: 1, answer: "accepted", reason: "" } as const];
    const [later] = book.current(() => said);
    const steps = stepsShown(stepsOf(later!, said));
    expect(steps.map((step) => [step.name, step.atMs, step.unsent])).toEqual([
      ["delivered", 1100, false],
      ["accepted", 1200, true],
      ["under_way", null, false],
    ]);
  });
});

describe("the officer's own call for help", () => {
  it("is unsent, then raised, then acknowledged", () => {
    const outbox = new Outbox(new MemoryShelf());
    const call = outbox.add({ kind: "sos", saidMs: 4000, position: null });
    expect(helpOf(outbox.all(), null, null)).toMatchObject({ phase: "unsent", calledMs: 4000 });
    outbox.remove(call);
    expect(helpOf(outbox.all(), null, 4000).phase).toBe("sent");
    expect(helpOf([], sos(), null)).toMatchObject({ phase: "raised", calledMs: 5000 });
    const taken = sos({ acknowledged_us: 6_000_000, acknowledged_by: "zhou" });
    expect(helpOf([], taken, null)).toMatchObject({ phase: "acknowledged", acknowledgedBy: "zhou" });
    outbox.add({ kind: "sosOver", saidMs: 7000 });
    expect(helpOf(outbox.all(), taken, null).phase).toBe("ending");
    expect(helpOf([], null, null).phase).toBe("none");
  });

  it("is only that of the officer's own unit, while it lasts", () => {
    expect(openCall([sos({ unit_id: 3 })], 2)).toBeNull();
    expect(openCall([sos({ ended_us: 1 })], 2)).toBeNull();
    expect(openCall([sos()], null)).toBeNull();
    expect(openCall([sos()], 2)?.alarm_id).toBe("sos-1");
  });

  it("is tried again after silence, a busy server or an ended session, and not after a refusal", () => {
    expect([0, 401, 408, 429, 500, 503].every(mayRecover)).toBe(true);
    expect([400, 403, 404, 409, 422].some(mayRecover)).toBe(false);
  });
});

describe("what is left to go", () => {
  const way: Place[] = [
    [103.8, 36],
    [103.8, 36.009],
  ];
  const reckoned = { way, target: way[1]!, travelS: 100, distanceM: 1002 };
  it("is the push's own reckoning while the own place is unknown", () => {
    expect(remainingOf(reckoned, null)).toEqual({ metres: 1002, seconds: 100, alongWay: true });
  });

  it("shrinks along the way with the time that was reckoned", () => {
    const left = remainingOf(reckoned, [103.8, 36.0045])!;
    expect(left.metres).toBeCloseTo(501, -1);
    expect(left.seconds).toBeCloseTo(50, 0);
  });

  it("is the straight line once the way was left", () => {
    const left = remainingOf(reckoned, [103.81, 36.0045])!;
    expect(left).toMatchObject({ seconds: null, alongWay: false });
    expect(left.metres).toBeCloseTo(1031, -1);
  });

  it("is nothing where no place is known", () => {
    expect(remainingOf({ way: [], target: null, travelS: null, distanceM: null }, [103.8, 36])).toBeNull();
  });
});
