// The book of alarms tells news once, in order of urgency, through reconnections.
import { describe, expect, it } from "vitest";
import { AlarmBook } from "../src/live/alarmBook";
import type { Alarm } from "../src/wire.generated";

const alarm = (alarm_id: string, more: Partial<Alarm> = {}): Alarm => ({
  alarm_id,
  number: 1,
  kind: "sos",
  priority: 1,
  device_id: 1,
  unit_id: 1,
  raised_us: 1,
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
  ...more,
});

describe("AlarmBook", () => {
  it("tells a new alarm once, however often it is replayed", () => {
    const book = new AlarmBook();
    expect(book.take(4, alarm("a"))?.raised).toBe(true);
    expect(book.take(4, alarm("a"))).toBeNull();
    expect(book.seq).toBe(4);
  });

  it("puts what nobody took before what somebody took, within a priority", () => {
    const book = new AlarmBook();
    book.take(1, alarm("taken", { acknowledged_us: 5, raised_us: 1 }));
    book.take(2, alarm("lower", { priority: 2, raised_us: 0 }));
    book.take(3, alarm("waiting", { raised_us: 9 }));
    expect(book.open().map((a) => a.alarm_id)).toEqual(["waiting", "taken", "lower"]);
  });

  it("puts who still calls before whose call is over", () => {
    const book = new AlarmBook();
    book.take(1, alarm("over", { raised_us: 1, ended_us: 5 }));
    book.take(2, alarm("calling", { raised_us: 9 }));
    expect(book.open().map((a) => a.alarm_id)).toEqual(["calling", "over"]);
  });

  it("drops an alarm that is over and acknowledged, keeps one that is only over", () => {
    const book = new AlarmBook();
    book.take(1, alarm("a"));
    book.take(2, alarm("a", { ended_us: 8 }));
    expect(book.open().length).toBe(1);
    book.take(3, alarm("a", { ended_us: 8, acknowledged_us: 9 }));
    expect(book.open()).toEqual([]);
  });
});
