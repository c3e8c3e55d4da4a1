// One line icon for each kind of alarm: its colour's twin.
import type { AlarmKind } from "../wire.generated";

const LINES: Readonly<Record<AlarmKind, string>> = {
  sos: "M12 3 2.5 20h19zM12 9.5v5M12 17.2v.3",
  link_lost: "M9.5 14.5 5.8 18.2a3 3 0 0 1-4-4L6 10M14.5 9.5l3.7-3.7a3 3 0 0 1 4 4L18 14M4 4l16 16",
  battery_low: "M3 8h15v8H3zM20.5 10.5v3M5.5 10.5v3",
  identity_conflict: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM2.5 19c0-3.5 2.3-5.5 5.5-5.5s5.5 2 5.5 5.5M17 8l4 4M21 8l-4 4",
  collision: "M3 17h6l2-4-2-3H5zM21 17h-6l-2-4 2-3h4zM12 3v3.5M7 4.5 8.5 7M17 4.5 15.5 7",
  rollover: "M4 14a8 8 0 1 1 3 5.5M4 19.5V14h5.5M9.5 9.5h5v4h-5z",
  power_cut: "M9 3v5M15 3v5M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v4",
  tamper: "M14.5 4.5a4.5 4.5 0 0 0-4.7 6L3.5 16.8 7 20.3l6.3-6.3a4.5 4.5 0 0 0 6-4.7L16.5 12 12 7.5z",
  stolen: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.7-1.400M12 14.5v2.5",
  fatigue: "M2.5 12s3.5-6 9.5-6 9.5 6 9.5 6M5 15l-1 2M9 16.5 8.5 19M15 16.5l.5 2.5M19 15l1 2",
  speeding: "M4.5 18a9 9 0 1 1 15 0M12 14l4.5-5M12 13a1 1 0 1 1 0 2 1 1 0 0 1 0-2",
  device_fault: "M7 3h10v18H7zM10 9l4 4M14 9l-4 4M11.5 18h1",
  geofence: "M12 3 20.5 9 17.5 20h-11L3.5 9zM12 10a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  outside_area: "M10 4 3.5 9l2.5 10h9M14 10h7M18 6.5l3.5 3.5L18 13.5",
  officer_alone:
    "M12 7a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM7.5 18c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M4 6a10 10 0 0 0 0 12M20 6a10 10 0 0 1 0 12",
  traffic: "M12 3v7l8 5v2l-8-2.5M12 10l-8 5v2l8-2.5M12 14.5V19M9.5 21 12 19l2.5 2",
};

export function AlarmIcon({ kind, size = 16 }: { kind: AlarmKind; size?: number }) {
  return (
    <svg
      className="alicon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={LINES[kind]} />
    </svg>
  );
}
