// What a person does with geofences: each resolves to what the server said, or to the error that kept it from being done.
import { RequestError, write } from "../api/client";
import type {
  AloneRulesReply,
  AloneRuleView,
  AreaAssignmentsReply,
  AreaAssignmentWish,
  GeofenceGoneReply,
  GeofenceReply,
} from "../wire.generated";
import type { Draft } from "./fenceDesk";

async function asked<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
): Promise<T | RequestError> {
  try {
    const reply = await write<T>(method, path, body);
    return reply ?? new RequestError(0, "error.network");
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

/** Draw a new fence, or change one: 409 when somebody else was faster. */
export function saveFence(draft: Draft): Promise<GeofenceReply | RequestError> {
  const shape = draft.geometry ? { geometry: draft.geometry } : {};
  if (draft.geofenceId === null) return asked("POST", "/api/geofences", { ...draft.fields, ...shape });
  const body = { ...draft.fields, ...shape, version: draft.version };
  return asked("PATCH", `/api/geofences/${draft.geofenceId}`, body);
}

export const removeFence = (geofenceId: number): Promise<GeofenceGoneReply | RequestError> =>
  asked("DELETE", `/api/geofences/${geofenceId}`);

export const assignArea = (wish: AreaAssignmentWish): Promise<AreaAssignmentsReply | RequestError> =>
  asked("POST", "/api/geofences/assignments", { assignments: [wish] });

export const endAssignment = (assignmentId: number): Promise<unknown | RequestError> =>
  asked("DELETE", `/api/geofences/assignments/${assignmentId}`);

export const setAloneRule = (rule: AloneRuleView): Promise<AloneRulesReply | RequestError> =>
  asked("PUT", "/api/geofences/alone", rule);
