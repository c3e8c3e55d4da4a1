// The phone's own place: watched only while it is wanted, with the permission, the battery and the screen's wakefulness beside it.
import type { PositionReport } from "../wire.generated";
import type { Permission } from "./sharing";

/** A fix is asked for anew when the watch says nothing for so long: a phone that stands still has a place too. */
const ASK_AFTER_MS = 4000;
const ASK_TIMEOUT_MS = 15_000;
const WATCH: PositionOptions = { enableHighAccuracy: true, maximumAge: 0, timeout: 30_000 };
const DENIED = 1;

interface Battery extends EventTarget {
  readonly level: number;
}
type WithBattery = Navigator & { getBattery?: () => Promise<Battery> };

const known = (value: number | null | undefined): number | null =>
  value === null || value === undefined || Number.isNaN(value) ? null : value;

/** A browser's fix as the server takes it; `offsetMs` is the server's clock less the phone's. */
export function reportOf(fix: GeolocationPosition, offsetMs: number, batteryRatio: number | null): PositionReport {
  const { latitude, longitude, accuracy, altitude, speed, heading } = fix.coords;
  const speedMps = known(speed);
  return {
    observed_ms: Math.round(fix.timestamp + offsetMs),
    lat_deg: latitude,
    lon_deg: longitude,
    accuracy_m: known(accuracy),
    alt_hae_m: known(altitude),
    speed_mps: speedMps === null ? null : Math.max(0, speedMps),
    course_deg: known(heading),
    battery_ratio: batteryRatio,
  };
}

export class Locator {
  permission: Permission = "geolocation" in navigator && isSecureContext ? "unknown" : "unsupported";
  fix: GeolocationPosition | null = null;
  batteryRatio: number | null = null;
  isAwake = false;
  private watchId: number | null = null;
  private heardAtMs = 0;
  private asking = false;
  private lock: WakeLockSentinel | null = null;
  private status: PermissionStatus | null = null;

  constructor(private readonly onChange: () => void) {}

  /** Learn what the browser allows, without asking for it, and how full the battery is. */
  async look(): Promise<void> {
    if (this.permission === "unsupported") return;
    this.status = (await navigator.permissions?.query({ name: "geolocation" })) ?? null;
    this.status?.addEventListener("change", this.permissionChanged);
    if (this.status) this.permissionChanged();
    const battery = await (navigator as WithBattery).getBattery?.();
    if (!battery) return;
    const read = (): void => {
      this.batteryRatio = battery.level;
    };
    read();
    battery.addEventListener("levelchange", read);
  }

  start(): void {
    if (this.permission === "unsupported") return;
    if (this.watchId !== null) {
      this.again();
      return;
    }
    this.heardAtMs = Date.now();
    this.watchId = navigator.geolocation.watchPosition(this.heard, this.failed, WATCH);
    document.addEventListener("visibilitychange", this.stayAwake);
    this.stayAwake();
  }

  stop(): void {
    if (this.watchId !== null) navigator.geolocation.clearWatch(this.watchId);
    this.watchId = null;
    this.fix = null;
    document.removeEventListener("visibilitychange", this.stayAwake);
    void this.lock?.release();
    this.lock = null;
    this.isAwake = false;
  }

  /** Ask once when the watch has been silent; call it as often as fixes are wanted. */
  nudge(): void {
    if (this.watchId === null || this.asking || Date.now() - this.heardAtMs < ASK_AFTER_MS) return;
    this.asking = true;
    const over = (): void => {
      this.asking = false;
    };
    navigator.geolocation.getCurrentPosition(
      (fix) => {
        over();
        this.heard(fix);
      },
      (error) => {
        over();
        this.failed(error);
      },
      { enableHighAccuracy: true, maximumAge: 0, timeout: ASK_TIMEOUT_MS },
    );
  }

  /** One fix for a call for help, if the browser already allows it; null after `patienceMs`. Never asks for permission. */
  async once(patienceMs: number): Promise<GeolocationPosition | null> {
    if (this.fix) return this.fix;
    if (this.permission !== "granted") return null;
    return new Promise((resolve) => {
      const options = { enableHighAccuracy: true, maximumAge: 60_000, timeout: patienceMs };
      navigator.geolocation.getCurrentPosition(resolve, () => resolve(null), options);
      setTimeout(() => resolve(null), patienceMs);
    });
  }

  private heard = (fix: GeolocationPosition): void => {
    if (this.watchId === null) return;
    this.permission = "granted";
    this.heardAtMs = Date.now();
    this.fix = fix;
    this.onChange();
  };

  private failed = (error: GeolocationPositionError): void => {
    if (error.code === DENIED) this.permission = "denied";
    this.onChange();
  };

  private permissionChanged = (): void => {
    const said = this.status?.state;
    const wasDenied = this.permission === "denied";
    this.permission = said === "granted" || said === "denied" ? said : "unknown";
    if (wasDenied && this.permission !== "denied" && this.watchId !== null) this.again();
    this.onChange();
  };

  /** A watch that was refused stays dead: begin another. */
  private again(): void {
    if (this.watchId !== null) navigator.geolocation.clearWatch(this.watchId);
    this.watchId = navigator.geolocation.watchPosition(this.heard, this.failed, WATCH);
  }

  private stayAwake = (): void => {
    if (document.visibilityState !== "visible" || this.watchId === null || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (lock) => {
        this.lock = lock;
        this.isAwake = true;
        lock.addEventListener("release", () => {
          this.isAwake = false;
          this.onChange();
        });
        this.onChange();
      },
      (error: unknown) => {
        if (!(error instanceof DOMException)) throw error;
      },
    );
  };
}
