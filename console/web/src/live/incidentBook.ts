// Incidents as the reliable queue and answers to requests tell them, in the order in which a person should look.
import type { DispatchState, DispatchView, IncidentState, IncidentView } from "../wire.generated";

const CLOSED: ReadonlySet<IncidentState> = new Set(["cleared", "handed_over", "non_police"]);
const OVER: ReadonlySet<DispatchState> = new Set(["cleared", "declined", "recalled"]);
/** Closed incidents that are kept, so that the one on the desk does not vanish when it ends. */
const MOST_CLOSED = 200;

/** True once nobody has to do anything: cleared, handed over, or not police work. */
export const isClosedIncident = (incident: IncidentView): boolean => CLOSED.has(incident.state);

/** True while the unit is still on its way or there: neither cleared, declined nor recalled. */
export const isLiveDispatch = (dispatch: Pick<DispatchView, "state">): boolean => !OVER.has(dispatch.state);

/** The dispatches that still count, in the order in which they were sent. */
export const liveDispatches = (incident: IncidentView): DispatchView[] => incident.dispatches.filter(isLiveDispatch);

/** True while nobody goes: the call waits to be sent. */
export const isToSend = (incident: IncidentView): boolean => incident.state === "new";

/** What waits to be sent first, then by urgency, then the oldest. */
export function byNeed(a: IncidentView, b: IncidentView): number {
  return (
    Number(isToSend(b)) - Number(isToSend(a)) ||
    a.urgency - b.urgency ||
    a.reported_ms - b.reported_ms ||
    a.incident_id - b.incident_id
  );
}

/** What one message changed: an open incident that was not known is news. */
export interface IncidentNews {
  readonly incident: IncidentView;
  readonly before: IncidentView | null;
  readonly isNew: boolean;
}

/** Incidents by id, with the number of the last message that was seen. */
export class IncidentBook {
  private incidents = new Map<number, IncidentView>();
  seq = 0;

  /** Take a numbered message; null if it brings nothing new (a replay after reconnection, an older standing). */
  take(seq: number, incident: IncidentView): IncidentNews | null {
    this.seq = Math.max(this.seq, seq);
    const before = this.of(incident.incident_id);
    return before && before.seq > incident.seq ? null : this.replace(before, incident);
  }

  /**
   * Take one incident's standing from the answer to a request; messages may have overtaken it, so what is newer stays.
   */
  put(incident: IncidentView): IncidentNews | null {
    const before = this.of(incident.incident_id);
    return before && before.seq >= incident.seq ? null : this.replace(before, incident);
  }

  private replace(before: IncidentView | null, incident: IncidentView): IncidentNews | null {
    if (before && JSON.stringify(before) === JSON.stringify(incident)) return null;
    this.incidents.delete(incident.incident_id);
    this.incidents.set(incident.incident_id, incident);
    this.forgetOldest();
    return { incident, before, isNew: !before && !isClosedIncident(incident) };
  }

  /** Forget everything: the server started anew. */
  restart(): void {
    this.seq = 0;
    this.incidents.clear();
  }

  of(incidentId: number): IncidentView | null {
    return this.incidents.get(incidentId) ?? null;
  }

  /** Open incidents, those to be sent and the most urgent first. */
  open(): IncidentView[] {
    return [...this.incidents.values()].filter((incident) => !isClosedIncident(incident)).sort(byNeed);
  }

  private forgetOldest(): void {
    const closed = [...this.incidents.values()].filter(isClosedIncident);
    for (const old of closed.slice(0, Math.max(0, closed.length - MOST_CLOSED))) this.incidents.delete(old.incident_id);
  }
}
