// What a person does with devices: each resolves to what the server said, or to the error that kept it from being done.
import { RequestError, write } from "../api/client";
import { live } from "../live/live";
import type {
  ChangeDevice,
  CommandReply,
  DeviceChangedReply,
  EnrolDevice,
  GiveCommand,
  IssuedReply,
  TrustDevice,
} from "../wire.generated";

type Method = "POST" | "PUT" | "PATCH";

async function asked<T>(method: Method, path: string, body?: unknown): Promise<T | RequestError> {
  try {
    const reply = await write<T>(method, path, body);
    return reply ?? new RequestError(0, "error.network");
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

type Changed = Promise<DeviceChangedReply | RequestError>;

export const enrol = (wanted: EnrolDevice): Promise<IssuedReply | RequestError> =>
  asked("POST", "/api/devices", wanted);

export const rotate = (deviceId: number): Promise<IssuedReply | RequestError> =>
  asked("POST", `/api/devices/${deviceId}/rotate`);

export const revoke = (deviceId: number): Changed => asked("POST", `/api/devices/${deviceId}/revoke`);

export const assign = (deviceId: number, unitId: number | null): Changed =>
  asked("PUT", `/api/devices/${deviceId}/unit`, { unit_id: unitId });

export const changeDevice = (deviceId: number, part: ChangeDevice): Changed =>
  asked("PATCH", `/api/devices/${deviceId}`, part);

export const dismiss = (protocol: string, address: string): Changed =>
  asked("POST", "/api/devices/quarantine/dismiss", { protocol, address });

export const trust = (unitId: number, deviceId: number | null): Promise<TrustDevice | RequestError> =>
  asked("PUT", `/api/units/${unitId}/trusted-device`, { device_id: deviceId });

/** Ask a unit's device for something; its standing is kept from here on by the websocket. */
export async function command(unitId: number, wanted: GiveCommand): Promise<CommandReply | RequestError> {
  const reply = await asked<CommandReply>("POST", `/api/units/${unitId}/commands`, wanted);
  if (!(reply instanceof RequestError)) live.putCommands([reply.command]);
  return reply;
}
