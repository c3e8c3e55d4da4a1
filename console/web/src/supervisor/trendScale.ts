// Where the last hour's shares stand in their chart.
import type { CoverageChanged, TrendReply } from "../wire.generated";

export const WIDTH = 232;
export const HEIGHT = 86;
export const PLOT = { left: 2, right: 184, top: 10, bottom: 62 };
/** The axis shows at least so many points of a share, so that noise stays flat. */
const LEAST_SPAN = 0.12;
const APART_PX = 13;

interface Scale {
  readonly x: (ms: number) => number;
  readonly y: (share: number) => number;
}

/** Scales of the plot: the whole time across, the shares and the plan within the height. */
export function scaleOf(trend: TrendReply): Scale {
  const [from, to] = [trend.at_ms[0]!, trend.at_ms.at(-1)!];
  const shares = trend.shares.map((row) => row[1]!).concat(trend.plan[1] ?? []);
  const top = Math.max(...shares);
  const bottom = Math.min(Math.min(...shares), top - LEAST_SPAN);
  return {
    x: (ms) => PLOT.left + ((ms - from) / Math.max(1, to - from)) * (PLOT.right - PLOT.left),
    y: (share) => PLOT.bottom - ((share - bottom) / (top - bottom)) * (PLOT.bottom - PLOT.top),
  };
}

/** The trend with the newest shares at its end, so that the line ends at the figure that is read beside it. */
export function upToNow(trend: TrendReply, coverage: CoverageChanged | null | undefined): TrendReply {
  if (!coverage || coverage.at_ms <= (trend.at_ms.at(-1) ?? Number.NEGATIVE_INFINITY)) return trend;
  return { ...trend, at_ms: [...trend.at_ms, coverage.at_ms], shares: [...trend.shares, coverage.shares] };
}

/** Heights of the newest value's label and the plan's: at their lines, the lower one pushed down where they would touch. */
export function labelHeights(last: number, plan: number | null): [number, number] {
  if (plan === null || Math.abs(last - plan) >= APART_PX) return [last, plan ?? last];
  return last < plan ? [last, last + APART_PX] : [plan + APART_PX, plan];
}
