// What the devices' page has open: the device looked at, the form, what is looked for. Kept outside React, never stored.
import { useSyncExternalStore } from "react";
import type { IssuedReply } from "../wire.generated";
import type { DeviceFilter } from "./deviceList";

/** What the enrolment form begins with. */
export interface Beginning {
  readonly protocol: string;
  readonly address: string;
}

export interface DeviceDesk {
  readonly deviceId: number | null;
  readonly panel: "quarantine" | "device" | "enrol";
  readonly filter: DeviceFilter;
  readonly query: string;
  /** Only this protocol's devices; null: all. */
  readonly protocol: string | null;
  /** What a new device begins with: a name from the quarantine, or nothing. */
  readonly beginning: Beginning | null;
  /** A secret that was just told; gone with the next thing that is opened. */
  readonly issued: IssuedReply | null;
  /** Below 1280 px the panel lies over the table and can be closed. */
  readonly isPanelOpen: boolean;
}

let desk: DeviceDesk = {
  deviceId: null,
  panel: "quarantine",
  filter: "all",
  query: "",
  protocol: null,
  beginning: null,
  issued: null,
  isPanelOpen: false,
};
const listeners = new Set<() => void>();

export const getDeviceDesk = (): DeviceDesk => desk;

export function changeDeviceDesk(part: Partial<DeviceDesk>): void {
  desk = { ...desk, ...part };
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useDeviceDesk = (): DeviceDesk => useSyncExternalStore(subscribe, getDeviceDesk);

/** Look at a device. */
export const openDevice = (deviceId: number): void =>
  changeDeviceDesk({ deviceId, panel: "device", issued: null, isPanelOpen: true });

/** Begin to enrol a device, or to adopt a name from the quarantine. */
export const beginEnrolment = (beginning: Beginning | null = null): void =>
  changeDeviceDesk({ panel: "enrol", beginning, issued: null, isPanelOpen: true });

/** Back to the quarantine; false where it is shown already. */
export function closePanel(): boolean {
  if (desk.panel === "quarantine" && !desk.isPanelOpen) return false;
  changeDeviceDesk({ panel: "quarantine", deviceId: null, beginning: null, issued: null, isPanelOpen: false });
  return true;
}
