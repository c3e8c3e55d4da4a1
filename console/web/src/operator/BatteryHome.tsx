// Battery against the way home: what was, what will be, what must be left, and when to turn back.
import { clockTime, duration, measure } from "../format/figures";
import { useText } from "../state/useText";
import { BatteryLog, type Homeward, homewardOf, type Sample, WATCHED_MS } from "./homeward";

const WIDTH = 340;
const HEIGHT = 116;
const FOOT = 18;
const AHEAD_MS = 10 * 60_000;
const MINUTE_MS = 60_000;
const SHORT_MS = 5 * MINUTE_MS;
const URGENT_MS = 2 * MINUTE_MS;
const log = new BatteryLog();

interface Shown {
  readonly unitId: number;
  readonly pct: number | null;
  readonly observedMs: number | null;
  readonly homeM: number | null;
  readonly reserveRatio: number;
  readonly isAloft: boolean;
}

export function BatteryHome({ unitId, pct, observedMs, homeM, reserveRatio, isAloft }: Shown) {
  const t = useText();
  const isKnown = pct !== null && observedMs !== null;
  const samples = isKnown ? log.take(unitId, { atMs: observedMs, ratio: pct / 100 }) : [];
  const homeward = homewardOf(samples, homeM, reserveRatio);
  const { marginMs } = homeward;
  const tone =
    !isAloft || marginMs === null ? "" : marginMs < URGENT_MS ? "c-alarm" : marginMs < SHORT_MS ? "c-attn" : "t2";
  return (
    <div className="sec" data-testid="battery-home">
      <div className="h">
        {t("flight.battery")}
        <span className="sp" />
        <span className={`num ${tone}`} data-testid="battery-margin">
          {isAloft && marginMs !== null
            ? marginMs > 0
              ? t("flight.margin", { time: duration(marginMs) })
              : t("flight.turnBackNow")
            : measure(pct, "%")}
        </span>
        <span className="unseen" data-testid="reading-battery">
          {measure(pct, "%")}
        </span>
      </div>
      {isAloft && isKnown ? (
        <Chart samples={samples} homeward={homeward} nowMs={observedMs} reserveRatio={reserveRatio} />
      ) : (
        <>
          <div className="bar">
            <i className={pct !== null && pct < 25 ? "attn" : ""} style={{ width: `${pct ?? 0}%` }} />
          </div>
          <p className="f12 t3 hint">{t("flight.batteryUnknown")}</p>
        </>
      )}
    </div>
  );
}

interface ChartProps {
  readonly samples: readonly Sample[];
  readonly homeward: Homeward;
  readonly nowMs: number;
  readonly reserveRatio: number;
}

function Chart({ samples, homeward, nowMs, reserveRatio }: ChartProps) {
  const t = useText();
  const fromMs = nowMs - WATCHED_MS;
  const x = (atMs: number): number => ((atMs - fromMs) / (WATCHED_MS + AHEAD_MS)) * WIDTH;
  const y = (ratio: number): number => (1 - Math.max(0, Math.min(1, ratio))) * (HEIGHT - FOOT) + 2;
  const now = samples.at(-1)?.ratio ?? 0;
  const line = (points: readonly (readonly [number, number])[]): string =>
    points.map(([atMs, ratio], i) => `${i ? "L" : "M"}${x(atMs).toFixed(1)} ${y(ratio).toFixed(1)}`).join("");
  const past = line(samples.map(({ atMs, ratio }) => [atMs, ratio]));
  const { dropPerS, neededRatio, marginMs } = homeward;
  const endMs = nowMs + AHEAD_MS;
  const forecast =
    dropPerS === null
      ? ""
      : line([
          [nowMs, now],
          [endMs, now - (dropPerS * AHEAD_MS) / 1000],
        ]);
  const needed =
    neededRatio === null
      ? ""
      : line([
          [nowMs, neededRatio],
          [endMs, neededRatio],
        ]);
  const turnMs = marginMs !== null && marginMs > 0 && marginMs < AHEAD_MS ? nowMs + marginMs : null;
  const ticks = [fromMs, nowMs, nowMs + AHEAD_MS / 2];
  const label = `${t("flight.batteryNow")} ${Math.round(now * 100)} %`;
  return (
    <>
      <svg className="homechart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width="100%" role="img" aria-label={label}>
        {[0.2, 0.4, 0.6, 0.8].map((ratio) => (
          <g key={ratio}>
            <path d={`M0 ${y(ratio)}H${WIDTH}`} stroke="var(--line)" />
            <text x="0" y={y(ratio) - 2} className="ax">
              {ratio * 100}
            </text>
          </g>
        ))}
        <path d={`M0 ${y(reserveRatio)}H${WIDTH}V${y(0)}H0z`} fill="var(--line)" opacity="0.5" />
        <path d={past} fill="none" stroke="var(--accent)" strokeWidth="2" />
        <path
          d={forecast}
          fill="none"
          stroke="var(--accent)"
          strokeWidth="1.6"
          strokeDasharray="1.5 3.5"
          strokeLinecap="round"
        />
        <path d={needed} fill="none" stroke="var(--t2)" strokeWidth="1.4" strokeDasharray="5 4" />
        <path d={`M${x(nowMs)} 0V${y(0)}`} stroke="var(--line2)" />
        {turnMs === null ? null : (
          <path d={`M${x(turnMs)} ${y(neededRatio ?? 0)}V${y(0)}`} stroke="var(--attn)" strokeWidth="2" />
        )}
        {ticks.map((atMs) => (
          <text key={atMs} x={x(atMs)} y={HEIGHT - 3} className="ax" textAnchor={atMs === fromMs ? "start" : "middle"}>
            {clockTime(atMs).slice(0, 5)}
          </text>
        ))}
      </svg>
      <p className="row f12 t3 num">
        <span className="c-acc">— {t("flight.batteryNow")}</span>
        <span>- - {t("flight.batteryHome")}</span>
        <span className="sp" />
        {turnMs === null ? null : (
          <b className="c-attn" data-testid="turn-back-by">
            {t("flight.turnBackBy", { time: clockTime(turnMs).slice(0, 5) })}
          </b>
        )}
      </p>
    </>
  );
}
