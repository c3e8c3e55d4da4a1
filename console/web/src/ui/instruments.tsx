// Instruments of the inspector: heading tape and height ladder; no dials, unknown stands empty.
import { bearing, figure } from "../format/figures";
import { useText } from "../state/useText";

const PX_PER_DEG = 2.6;
const SPAN_DEG = 65;
const WIDTH = 352;

/** A tape of the compass round the heading; the figure stands fixed in the middle. */
export function HeadingTape({ ddeg }: { ddeg: number | null }) {
  const middle = WIDTH / 2;
  const heading = ddeg === null ? null : ddeg / 10;
  const ticks: number[] = [];
  if (heading !== null)
    for (let d = Math.ceil((heading - SPAN_DEG) / 5) * 5; d <= heading + SPAN_DEG; d += 5) ticks.push(d);
  return (
    <svg
      width="100%"
      height="46"
      viewBox={`0 0 ${WIDTH} 46`}
      preserveAspectRatio="xMidYMid slice"
      role="img"
      aria-label={bearing(ddeg)}
    >
      {ticks.map((d) => {
        const x = middle + (d - heading!) * PX_PER_DEG;
        const major = d % 30 === 0;
        const near = Math.abs(x - middle) < 34;
        return (
          <g key={d}>
            <path
              d={`M${x} 46v${major ? -9 : d % 10 === 0 ? -5 : -3}`}
              stroke="var(--t3)"
              opacity={major ? 0.9 : 0.5}
            />
            {major && !near ? (
              <text x={x} y="31" textAnchor="middle" className="ax">
                {String((d + 720) % 360).padStart(3, "0")}
              </text>
            ) : null}
          </g>
        );
      })}
      <text x={middle} y="24" textAnchor="middle" fill="var(--t1)" fontSize="20" fontWeight="600">
        {bearing(ddeg)}
      </text>
      <path d={`M${middle} 46l-4.5-7h9z`} fill="var(--accent)" />
    </svg>
  );
}

const LADDER_PX = 84;
const STEPS_M = [60, 120, 240, 500, 1000, 4000];

/** Height above home on a ladder that chooses its own top. */
export function HeightLadder({ heightM }: { heightM: number | null }) {
  const t = useText();
  const top = STEPS_M.find((step) => (heightM ?? 0) <= step) ?? 10_000;
  const y = (m: number): number => 90 - (Math.max(0, Math.min(top, m)) / top) * LADDER_PX;
  return (
    <svg width="86" height="98" viewBox="0 0 86 98" role="img" aria-label={`${figure(heightM)} m`}>
      <path d={`M14 ${y(0)}V${y(top)}`} stroke="var(--line2)" strokeWidth="3" />
      {heightM === null ? null : <path d={`M14 ${y(0)}V${y(heightM)}`} stroke="var(--accent)" strokeWidth="3" />}
      {[0, 0.5, 1].map((part) => (
        <path key={part} d={`M6 ${y(top * part)}h16`} stroke="var(--t3)" strokeWidth="1.2" />
      ))}
      {heightM === null ? null : <path d={`M19 ${y(heightM)}l7-4.5v9z`} fill="var(--accent)" />}
      <text x="30" y={y(top) + 4} className="ax">
        {top} m
      </text>
      <text x="30" y={y(0) + 4} className="ax">
        {t("inspector.ground")}
      </text>
    </svg>
  );
}
