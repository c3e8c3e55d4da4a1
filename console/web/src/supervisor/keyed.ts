// Which candidates have a key, and who goes already.
import { liveDispatches } from "../live/incidentBook";
import type { CandidatesReply, CandidateView, IncidentView } from "../wire.generated";

const GROUND_KEYS = 4;
const AIR_KEYS = 2;

function first(list: readonly CandidateView[], n: number): CandidateView[] {
  const shown = list.slice(0, n);
  const advised = list.find((each) => each.advised);
  return advised && !shown.includes(advised) ? [...shown.slice(0, n - 1), advised] : shown;
}

/** The candidates that have a key: the first on the ground, then in the air, the advised always among them; who goes already is left out. */
export function keyed(
  reply: CandidatesReply,
  sentIds: readonly number[],
): { ground: CandidateView[]; air: CandidateView[] } {
  const free = (list: readonly CandidateView[]): CandidateView[] =>
    list.filter((each) => !sentIds.includes(each.unit_id));
  return { ground: first(free(reply.ground), GROUND_KEYS), air: first(free(reply.air), AIR_KEYS) };
}

/** The units that go to an incident now. */
export const sentTo = (incident: IncidentView): number[] => liveDispatches(incident).map((each) => each.unit_id);
