// The open alarms as the reliable queue tells them, in the order in which a person should look.
import type { Alarm } from "../wire.generated";

/** True while somebody must still look: nobody took it. */
export const isUnacknowledged = (alarm: Alarm): boolean => alarm.acknowledged_us === null;

/** True once it is over and somebody took it: it leaves the board. */
export const isClosed = (alarm: Alarm): boolean => alarm.ended_us !== null && alarm.acknowledged_us !== null;

/** By priority, then unacknowledged first, what still lasts before what is over, then newest last. */
export function byUrgency(a: Alarm, b: Alarm): number {
  return (
    a.priority - b.priority ||
    Number(isUnacknowledged(b)) - Number(isUnacknowledged(a)) ||
    Number(a.ended_us !== null) - Number(b.ended_us !== null) ||
    a.raised_us - b.raised_us ||
    a.number - b.number
  );
}

/** What one message changed: an alarm that was not known and that nobody took is news. */
export interface AlarmNews {
  readonly alarm: Alarm;
  readonly raised: boolean;
}

/** Alarms by id, with the number of the last message that was seen. */
export class AlarmBook {
  private alarms = new Map<string, Alarm>();
  seq = 0;

  /** Take a numbered message; null if it brings nothing new (a replay after reconnection). */
  take(seq: number, alarm: Alarm): AlarmNews | null {
    this.seq = Math.max(this.seq, seq);
    return this.put(alarm);
  }

  /** Take one alarm's standing without a number (the answer to a request). */
  put(alarm: Alarm): AlarmNews | null {
    const known = this.alarms.get(alarm.alarm_id);
    if (known && JSON.stringify(known) === JSON.stringify(alarm)) return null;
    if (isClosed(alarm)) this.alarms.delete(alarm.alarm_id);
    else this.alarms.set(alarm.alarm_id, alarm);
    return { alarm, raised: !known && isUnacknowledged(alarm) && alarm.ended_us === null };
  }

  /** Begin anew with the server's whole list. */
  replace(alarms: readonly Alarm[]): void {
    this.alarms = new Map(alarms.filter((alarm) => !isClosed(alarm)).map((alarm) => [alarm.alarm_id, alarm]));
  }

  /** Forget the numbering: the server started anew. */
  restart(): void {
    this.seq = 0;
    this.alarms.clear();
  }

  /** Open alarms, most urgent first. */
  open(): Alarm[] {
    return [...this.alarms.values()].sort(byUrgency);
  }
}
