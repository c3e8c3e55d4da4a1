// What a person does with incidents: look at one, ask who could go, send, recall, change, hand over. Every change names its version.
import { get, RequestError, write } from "../api/client";
import { isToSend } from "../live/incidentBook";
import { live } from "../live/live";
import { currentMap } from "../map/current";
import type {
  AgenciesReply,
  CandidatesReply,
  CandidateView,
  EditIncident,
  EntriesReply,
  EntryView,
  FiguresReply,
  IncidentReply,
  IncidentsReply,
  IncidentView,
  NewIncident,
  SetIncidentState,
  TrendReply,
} from "../wire.generated";
import { changeDesk, getDesk, type RingWay } from "./desk";

/** What became of a request: null is well; a conflict names what another desk changed meanwhile. */
export interface Failure {
  readonly error: RequestError;
  readonly changed: readonly string[] | null;
}

const CONFLICT = 409;
const WATCHED = ["state", "urgency", "title", "place_text", "lat_deg", "lon_deg", "text", "caller_phone"] as const;
export type Watched = (typeof WATCHED)[number];

/** The incident on the desk: the chosen one, else the most urgent open one. */
export function incidentOnDesk(): IncidentView | null {
  const { incidentId } = getDesk();
  const chosen = incidentId === null ? null : live.incidents.of(incidentId);
  return chosen ?? live.summary.get().incidents[0] ?? null;
}

/** Look at an incident and bring it into view. */
export function openIncident(incidentId: number): void {
  changeDesk({ incidentId, panel: "incident", tucked: false, chosenIds: [], candidates: null, candidatesOf: null });
  const incident = live.incidents.of(incidentId);
  if (incident && incident.lat_deg !== null && incident.lon_deg !== null)
    currentMap()?.camera.show([incident.lon_deg, incident.lat_deg]);
  void askCandidates(incidentId);
}

const advised = (list: readonly CandidateView[]): number[] => {
  const best = list.find((each) => each.advised);
  return best ? [best.unit_id] : [];
};

/** What Enter sends unless a person chooses otherwise: who is advised, where nobody goes yet. */
const atFirst = (incidentId: number, { ground, air }: CandidatesReply): number[] => {
  const incident = live.incidents.of(incidentId);
  return incident && isToSend(incident) ? [...advised(ground), ...advised(air)] : [];
};

/** Ask who could go. What a person chose already stays chosen while it is still offered. */
export async function askCandidates(incidentId: number): Promise<void> {
  try {
    const reply = await get<CandidatesReply>(`/api/incidents/${incidentId}/candidates`);
    if (incidentOnDesk()?.incident_id !== incidentId) return;
    const { candidates, candidatesOf, chosenIds } = getDesk();
    const offered = new Set([...reply.ground, ...reply.air].map((each) => each.unit_id));
    const fresh = candidatesOf !== incidentId || !candidates?.place_is_known;
    const kept = chosenIds.filter((unitId) => offered.has(unitId));
    changeDesk({
      candidates: reply,
      candidatesOf: incidentId,
      chosenIds: fresh ? atFirst(incidentId, reply) : kept,
    });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (getDesk().candidatesOf !== incidentId) changeDesk({ candidates: null, candidatesOf: null });
  }
}

/** Choose a candidate, or not: one on the ground and one in the air are usual, more are allowed. */
export function toggleCandidate(unitId: number): void {
  const { chosenIds } = getDesk();
  changeDesk({
    chosenIds: chosenIds.includes(unitId) ? chosenIds.filter((id) => id !== unitId) : [...chosenIds, unitId],
  });
}

function differing(before: IncidentView, after: IncidentView): string[] {
  const changed: string[] = WATCHED.filter((key) => before[key] !== after[key]);
  if (before.dispatches.length !== after.dispatches.length) changed.push("dispatches");
  return changed;
}

async function changing(before: IncidentView, act: () => Promise<IncidentReply | null>): Promise<Failure | null> {
  try {
    const reply = await act();
    if (reply) live.putIncidents([reply.incident]);
    return null;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.status !== CONFLICT) return { error, changed: null };
    const now = await get<IncidentReply>(`/api/incidents/${before.incident_id}`).catch(() => null);
    if (now) live.putIncidents([now.incident]);
    return { error, changed: now ? differing(before, now.incident) : null };
  }
}

const path = (incident: IncidentView, rest = ""): string => `/api/incidents/${incident.incident_id}${rest}`;

/** Send units: one push each. */
export async function sendUnits(incident: IncidentView, unitIds: readonly number[]): Promise<Failure | null> {
  const body = { version: incident.version, unit_ids: [...unitIds] };
  const failure = await changing(incident, () => write<IncidentReply>("POST", path(incident, "/dispatch"), body));
  if (!failure) changeDesk({ chosenIds: [] });
  return failure;
}

export const recall = (incident: IncidentView, dispatchId: number, reason: string): Promise<Failure | null> =>
  changing(incident, () =>
    write<IncidentReply>("POST", path(incident, `/dispatches/${dispatchId}/recall`), { reason }),
  );

export const edit = (incident: IncidentView, part: Omit<EditIncident, "version">): Promise<Failure | null> =>
  changing(incident, () => write<IncidentReply>("PATCH", path(incident), { version: incident.version, ...part }));

export const setState = (incident: IncidentView, part: Omit<SetIncidentState, "version">): Promise<Failure | null> =>
  changing(incident, () =>
    write<IncidentReply>("POST", path(incident, "/state"), { version: incident.version, ...part }),
  );

/** Take a call; resolves to the incident as it stands, or to why not. */
export async function takeCall(call: NewIncident): Promise<IncidentView | RequestError> {
  try {
    const reply = await write<IncidentReply>("POST", "/api/incidents", call);
    if (!reply) return new RequestError(0, "error.network");
    live.putIncidents([reply.incident]);
    return reply.incident;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

export async function historyOf(incidentId: number): Promise<readonly EntryView[] | RequestError> {
  try {
    return (await get<EntriesReply>(`/api/incidents/${incidentId}/entries`)).entries;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

const quietly = async <T>(asked: Promise<T>): Promise<T | null> => {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  }
};

interface WaysReply {
  readonly features: readonly {
    readonly properties: { readonly from_station_id: number; readonly to_station_id: number };
    readonly geometry: { readonly coordinates: readonly (readonly [number, number])[] };
  }[];
}

const wayOf = ({ properties, geometry }: WaysReply["features"][number]): RingWay => ({
  ...properties,
  path: geometry.coordinates,
});

export async function askFigures(): Promise<void> {
  changeDesk({ figures: await quietly(get<FiguresReply>("/api/figures")) });
}

export async function askTrend(): Promise<void> {
  changeDesk({ trend: await quietly(get<TrendReply>("/api/coverage/trend?minutes=60")) });
}

/** Read what the stream does not tell: open incidents at the beginning, agencies, the ring's ways, figures, the last hour. */
export async function loadDesk(): Promise<void> {
  const [incidents, agencies, ways] = await Promise.all([
    quietly(get<IncidentsReply>("/api/incidents")),
    quietly(get<AgenciesReply>("/api/agencies")),
    quietly(get<WaysReply>("/api/coverage/ring")),
    askFigures(),
    askTrend(),
  ]);
  if (incidents) live.putIncidents(incidents.incidents);
  changeDesk({ agencies: agencies?.agencies ?? [], ways: ways?.features.map(wayOf) ?? [] });
}
