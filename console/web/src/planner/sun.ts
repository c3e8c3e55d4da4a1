// When the sun sets and rises at a place, by NOAA's short formula: to about a minute.
import { US } from "./days";

const RAD = Math.PI / 180;
const ZENITH_DEG = 90.833;
const J2000_US = 946_728_000 * US;
const DAY_US = 86_400 * US;

interface Day {
  /** Null where the sun does not rise or set on that day. */
  readonly rise_us: number | null;
  readonly set_us: number | null;
}

/** Sunrise and sunset round the noon that is nearest to a moment. */
export function sunOf(us: number, latDeg: number, lonDeg: number): Day {
  const days = Math.round((us - J2000_US) / DAY_US + lonDeg / 360) - lonDeg / 360;
  const anomaly = (357.5291 + 0.98560028 * days) * RAD;
  const centre = 1.9148 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly) + 0.0003 * Math.sin(3 * anomaly);
  const lon = anomaly + (centre + 180 + 102.9372) * RAD;
  const noon = days + 0.0053 * Math.sin(anomaly) - 0.0069 * Math.sin(2 * lon);
  const declination = Math.asin(Math.sin(lon) * Math.sin(23.44 * RAD));
  const lat = latDeg * RAD;
  const cosine =
    (Math.cos(ZENITH_DEG * RAD) - Math.sin(lat) * Math.sin(declination)) / (Math.cos(lat) * Math.cos(declination));
  if (Math.abs(cosine) > 1) return { rise_us: null, set_us: null };
  const half = Math.acos(cosine) / (2 * Math.PI);
  const at = (day: number): number => Math.round(J2000_US + day * DAY_US);
  return { rise_us: at(noon - half), set_us: at(noon + half) };
}
