// 3-minute cover over the last hour against its plan, as one line with its newest value.
import { clockTime, figure } from "../format/figures";
import type { TrendReply } from "../wire.generated";
import { HEIGHT, labelHeights, PLOT, scaleOf, WIDTH } from "./trendScale";

const minutes = (ms: number): string => clockTime(ms).slice(0, 5);

export function TrendChart({ trend }: { trend: TrendReply }) {
  const { x, y } = scaleOf(trend);
  const rows = trend.at_ms
    .map((ms, i) => [ms, trend.shares[i]?.[1]] as const)
    .filter((row): row is [number, number] => row[1] !== undefined);
  const [lastMs, last] = rows.at(-1)!;
  const plan = trend.plan[1];
  const path = rows.map(([ms, share], i) => `${i ? "L" : "M"}${x(ms).toFixed(1)} ${y(share).toFixed(1)}`).join("");
  const [lastY, planY] = labelHeights(y(last), plan === undefined ? null : y(plan));
  return (
    <svg
      className="trend"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${figure(last * 100)} %`}
      data-testid="trend"
    >
      {plan === undefined ? null : (
        <>
          <path
            d={`M${PLOT.left} ${y(plan)}H${PLOT.right}`}
            stroke="var(--t3)"
            strokeWidth="1.2"
            strokeDasharray="2 4"
          />
          <text className="ax" x={PLOT.right + 6} y={planY + 4}>
            {figure(plan * 100)} %
          </text>
        </>
      )}
      <path d={path} fill="none" stroke="var(--c-l1)" strokeWidth="1.6" strokeLinejoin="round" />
      <circle cx={x(lastMs)} cy={y(last)} r="3.4" fill="var(--c-l1)" />
      <text className="ax now" x={PLOT.right + 6} y={lastY + 4}>
        {figure(last * 100)} %
      </text>
      <path d={`M${PLOT.left} ${PLOT.bottom + 6}H${PLOT.right}`} stroke="var(--line)" />
      {[0, 0.5, 1].map((part) => {
        const at = rows[0]![0] + (lastMs - rows[0]![0]) * part;
        return (
          <text
            key={part}
            className="ax"
            x={x(at)}
            y={HEIGHT - 3}
            textAnchor={part === 0 ? "start" : part === 1 ? "end" : "middle"}
          >
            {minutes(at)}
          </text>
        );
      })}
    </svg>
  );
}
