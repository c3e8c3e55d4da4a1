// Below the map: the chart of the day or of its week, over airframes or batteries, or the same as a table.
import { useEffect, useMemo, useState } from "react";
import { get, RequestError } from "../api/client";
import { live } from "../live/live";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { PlanFullReply, PlanLine } from "../wire.generated";
import { dayWindow, mondayOf, overlaps, type Span } from "./days";
import { GanttChart, type Marks } from "./GanttChart";
import { GanttTable } from "./GanttTable";
import { chartOf, type Drawn, firstRange, gustySpans, zoomed } from "./gantt";
import { changePlanDesk, dayShown, getPlanDesk, planShown, usePlanDesk, zoneOf } from "./planDesk";
import { sunOf } from "./sun";

const DAY_US = 86_400_000_000;
const MINUTE_MS = 60_000;

/** One plan of each day of the week: the published one, else the newest. */
export function planOfEachDay(lines: readonly PlanLine[], monday: string, zone: string): PlanLine[] {
  const days = Array.from({ length: 7 }, (_, i) => {
    const { start_us } = dayWindow(monday, zone);
    return { start_us: start_us + i * DAY_US, end_us: start_us + (i + 1) * DAY_US };
  });
  const found = days.flatMap((day) => {
    const own = lines.filter((line) => line.window.start_us >= day.start_us && line.window.start_us < day.end_us);
    return own.find((line) => line.state === "published") ?? own[0] ?? [];
  });
  return found;
}

function useWeek(lines: readonly PlanLine[], monday: string, zone: string, isShown: boolean): readonly Drawn[] {
  const [found, setFound] = useState<readonly Drawn[]>([]);
  const wanted = isShown ? planOfEachDay(lines, monday, zone) : [];
  const key = wanted.map((line) => `${line.plan_id} ${line.version}`).join(",");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the plans' numbers and versions say all of them
  useEffect(() => {
    let over = false;
    const read = (line: PlanLine): Promise<PlanFullReply | null> =>
      get<PlanFullReply>(`/api/plans/${line.plan_id}`).catch((error: unknown) => {
        if (error instanceof RequestError) return null;
        throw error;
      });
    void Promise.all(wanted.map(read)).then((replies) => {
      if (!over) setFound(replies.filter((reply) => reply !== null));
    });
    return () => {
      over = true;
    };
  }, [key]);
  return isShown ? found : [];
}

function useMarks(drawn: readonly Drawn[], within: Span, minute: number): Marks {
  return useMemo(() => {
    const dock = drawn[0]?.programme.docks[0];
    const days = Array.from({ length: Math.ceil((within.end_us - within.start_us) / DAY_US) + 2 }, (_, i) => i - 1);
    const suns = dock ? days.map((i) => sunOf(within.start_us + i * DAY_US, dock.lat_deg, dock.lon_deg)) : [];
    const isSet = (us: number | null): us is number => us !== null;
    return {
      sunset_us: [...new Set(suns.map((sun) => sun.set_us).filter(isSet))],
      sunrise_us: [...new Set(suns.map((sun) => sun.rise_us).filter(isSet))],
      gusts: drawn[0] ? gustySpans(drawn[0].programme, within) : [],
      now_us: minute * MINUTE_MS * 1000,
    };
  }, [drawn, within, minute]);
}

/** Nearer, farther, or to the side. */
export function zoomChart(factor: number, shift = 0): void {
  const desk = getPlanDesk();
  const plan = planShown(desk);
  const day = dayWindow(dayShown(live.nowMs(), desk), zoneOf(desk));
  const within = plan ? withinOf(day, firstRange(plan, day)) : day;
  const range = desk.range ?? (plan ? firstRange(plan, day) : day);
  changePlanDesk({ range: zoomed(range, factor, within, shift) });
}

const withinOf = (day: Span, range: Span): Span => ({
  start_us: Math.min(day.start_us, range.start_us),
  end_us: Math.max(day.end_us, range.end_us),
});

export function GanttPane({ lines }: { lines: readonly PlanLine[] }) {
  const t = useText();
  const { language } = useSettings();
  const desk = usePlanDesk();
  const { nowMs } = useLive();
  const zone = zoneOf(desk);
  const day = dayShown(nowMs, desk);
  const plan = planShown(desk);
  const isWeek = desk.span === "week";
  const programme = desk.full?.programme ?? desk.programme?.programme ?? null;
  const monday = mondayOf(day);
  const week = useWeek(lines, monday, zone, isWeek);
  const one = useMemo(() => (plan && programme ? [{ plan, programme }] : []), [plan, programme]);
  const drawn = isWeek ? week : one;
  const chart = useMemo(() => chartOf(drawn, desk.rows, language), [drawn, desk.rows, language]);
  const whole = useMemo(() => dayWindow(day, zone), [day, zone]);
  const range = useMemo(
    () => (isWeek ? dayWindow(monday, zone, 7) : (desk.range ?? (plan ? firstRange(plan, whole) : whole))),
    [isWeek, monday, zone, desk.range, plan, whole],
  );
  const marks = useMarks(drawn, range, Math.floor(nowMs / MINUTE_MS));
  const rowsOf = (rows: "airframes" | "batteries"): void => changePlanDesk({ rows });
  return (
    <section className="ganttpane" aria-label={t("plan.chart")}>
      <div className="dh gantthead">
        <b className="f13">{t("plan.chartTitle")}</b>
        <span className="f12 t3 hide-small">{t("plan.chartHint", { n: chart.rows.length })}</span>
        <div className="seg2" role="group" aria-label={t("plan.rows")}>
          {(["airframes", "batteries"] as const).map((each) => (
            <button key={each} type="button" aria-pressed={desk.rows === each} onClick={() => rowsOf(each)}>
              {t(`plan.list.${each}`)}
            </button>
          ))}
        </div>
        <div className="seg2" role="group" aria-label={t("plan.span")}>
          {(["day", "week"] as const).map((span) => (
            <button
              key={span}
              type="button"
              aria-pressed={desk.span === span}
              data-testid={`span-${span}`}
              onClick={() => changePlanDesk({ span })}
            >
              {t(`plan.span.${span}`)}
            </button>
          ))}
        </div>
        <button
          type="button"
          className="btn s ghost"
          aria-pressed={desk.isTable}
          data-testid="as-table"
          onClick={() => changePlanDesk({ isTable: !desk.isTable })}
        >
          {t("plan.asTable")}
        </button>
        <span className="sp" />
        <Legend />
        {isWeek ? null : (
          <div className="row zooms">
            <button type="button" className="iconbtn" aria-label={t("plan.earlier")} onClick={() => zoomChart(1, -0.3)}>
              <Icon name="left" size={14} />
            </button>
            <button type="button" className="iconbtn" aria-label={t("plan.later")} onClick={() => zoomChart(1, 0.3)}>
              <Icon name="right" size={14} />
            </button>
            <button type="button" className="iconbtn" aria-label={t("plan.wider")} onClick={() => zoomChart(1.6)}>
              <Icon name="minus" size={14} />
            </button>
            <button type="button" className="iconbtn" aria-label={t("plan.nearer")} onClick={() => zoomChart(1 / 1.6)}>
              <Icon name="plus" size={14} />
            </button>
          </div>
        )}
      </div>
      {!drawn.length ? (
        <p className="sentence">{t(isWeek ? "plan.noWeek" : "plan.noPlanYet")}</p>
      ) : desk.isTable ? (
        <GanttTable chart={chart} zone={zone} />
      ) : (
        <GanttChart chart={chart} range={range} zone={zone} isWeek={isWeek} marks={marks} />
      )}
    </section>
  );
}

function Legend() {
  const t = useText();
  return (
    <div className="ganttlegend f12 t2 hide-narrow" aria-hidden="true">
      <span className="k event">{t("plan.legend.event")}</span>
      <span className="k routine">{t("plan.legend.routine")}</span>
      <span className="k charging">{t("plan.legend.charging")}</span>
      <span className="k refusedkey">{t("plan.legend.refused")}</span>
    </div>
  );
}

export const linesOfDay = (lines: readonly PlanLine[], day: Span): PlanLine[] =>
  lines.filter((line) => overlaps(line.window, day));
