// Right, below the refusals: conflicts in the air, the relay of an event, gusts against the limit.
import { duration, figure, measure, UNKNOWN_FIGURE } from "../format/figures";
import { nameIn } from "../i18n/text";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { Plan, Programme } from "../wire.generated";
import { clockOf, type Span, spanText } from "./days";
import { gustLimit, lanesOf, lettersOf } from "./gantt";
import { chooseSortie, usePlanDesk } from "./planDesk";

interface Props {
  readonly plan: Plan;
  readonly programme: Programme;
}

export function Conflicts({ plan, programme }: Props) {
  const t = useText();
  const open = plan.conflicts.filter((each) => !each.mended_by);
  const mended = plan.conflicts.length - open.length;
  return (
    <section className="sec" data-testid="conflicts">
      <div className="h">
        {t("plan.conflicts")} <span className={open.length ? "c-alarm num" : "t3 num"}>{open.length}</span>
        <span className="sp" />
        {mended ? <span className="f12 t3">{t("plan.mended", { n: mended })}</span> : null}
      </div>
      {open.length ? (
        <ul className="conflictlist">
          {open.map((each) => (
            <li key={`${each.sortie_id} ${each.other_sortie_id} ${each.zone_id} ${each.window.start_us}`}>
              <button type="button" className="link row f13" onClick={() => chooseSortie(each.sortie_id)}>
                <span>
                  {each.other_sortie_id === null
                    ? t("plan.conflictZone", { a: each.sortie_id, zone: zoneName(programme, each.zone_id) })
                    : t("plan.conflictPair", { a: each.sortie_id, b: each.other_sortie_id })}
                </span>
                <span className="sp" />
                <span className="num t2">{spanText(each.window, programme.zone)}</span>
              </button>
              <span className="f12 t3 num">
                {t("plan.apart", { across: figure(each.distance_m), above: figure(each.height_apart_m) })}
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <p className="f13 t3">{t("plan.noConflicts")}</p>
      )}
    </section>
  );
}

const zoneName = (programme: Programme, id: number | null): string =>
  programme.zones.find((zone) => zone.zone_id === id)?.name ?? "";

const CHART = { width: 340, row: 22, left: 34 } as const;

/** Who stands over an event when: a row for each airframe, a light edge where two stand there at a handover. */
export function Relay({ plan, programme }: Props) {
  const t = useText();
  const { language } = useSettings();
  const { chosen, sortieId } = usePlanDesk();
  const letters = lettersOf(programme.tasks);
  const taskId = chosen?.kind === "tasks" && letters.has(chosen.id) ? chosen.id : letters.keys().next().value;
  const task = programme.tasks.find((each) => each.task_id === taskId);
  const lane = lanesOf({ plan, programme }, language).find((each) => each.taskId === taskId);
  const figures = plan.figures.find((each) => each.task_id === taskId);
  if (!task || !lane) return null;
  const sorties = new Map(plan.sorties.map((sortie) => [sortie.sortie_id, sortie]));
  const airframes = [...new Set(lane.bars.map((bar) => sorties.get(bar.sortieId)!.airframe_id))];
  const range: Span = {
    start_us: Math.min(...lane.bars.map((bar) => bar.start_us)),
    end_us: Math.max(...lane.bars.map((bar) => bar.end_us)),
  };
  const x = (us: number): number =>
    CHART.left + ((us - range.start_us) / (range.end_us - range.start_us)) * (CHART.width - CHART.left);
  const name = (id: number): string => programme.airframes.find((each) => each.airframe_id === id)?.name ?? "";
  const short = (id: number): string => /\d+$/.exec(name(id))?.[0] ?? name(id).slice(0, 3);
  const hours = [range.start_us, (range.start_us + range.end_us) / 2, range.end_us];
  const overlap = figures?.least_overlap_s ?? null;
  const gap = figures?.longest_gap_s ?? null;
  return (
    <section className="sec" data-testid="relay">
      <div className="h">
        {t("plan.relay", { letter: lane.letter })}
        <span className="t3 ell">{nameIn(language, task)}</span>
        <span className="sp" />
        <span className={lane.isUnbroken ? "c-ok" : "c-attn"}>
          {lane.isUnbroken
            ? t("plan.relayUnbroken")
            : t("plan.relayGap", { time: gap === null ? UNKNOWN_FIGURE : duration(gap * 1000) })}
        </span>
      </div>
      <p className="f13 t2">
        {t("plan.relaySaid", { order: airframes.map(short).join(" → "), n: lane.bars.length })}
        {overlap === null ? "" : ` ${t("plan.relayOverlap", { s: figure(overlap) })}`}
      </p>
      <svg
        className="relaychart"
        viewBox={`0 0 ${CHART.width} ${airframes.length * CHART.row + 20}`}
        role="img"
        aria-label={t("plan.relay", { letter: lane.letter })}
      >
        {airframes.map((id, i) => (
          <text key={id} x="0" y={i * CHART.row + 14}>
            {short(id)}
          </text>
        ))}
        {lane.bars.map((bar) => (
          <rect
            key={bar.sortieId}
            className={`bar ${bar.sortieId === sortieId ? "sel" : ""}`}
            x={x(bar.start_us)}
            y={airframes.indexOf(sorties.get(bar.sortieId)!.airframe_id) * CHART.row + 3}
            width={Math.max(1.5, x(bar.end_us) - x(bar.start_us))}
            height={CHART.row - 8}
          />
        ))}
        {lane.bars.slice(1).map((bar, i) => {
          const overlapping = lane.overlaps.find((each) => each.start_us === bar.start_us);
          return overlapping ? (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: handovers are told by their order
              key={i}
              className="overlap"
              x={x(bar.start_us)}
              y={airframes.indexOf(sorties.get(bar.sortieId)!.airframe_id) * CHART.row + 3}
              width={Math.max(1.5, x(overlapping.end_us) - x(bar.start_us))}
              height={CHART.row - 8}
            />
          ) : null;
        })}
        {hours.map((us, i) => (
          <text
            key={us}
            className="tick"
            x={x(us)}
            y={airframes.length * CHART.row + 14}
            textAnchor={i === 0 ? "start" : i === 1 ? "middle" : "end"}
          >
            {clockOf(us, programme.zone)}
          </text>
        ))}
      </svg>
    </section>
  );
}

/** Gusts over the plan's time against what the weakest airframe takes. */
export function Gusts({ plan, programme }: Props) {
  const t = useText();
  const limit = gustLimit(programme.airframes);
  const { start_us, end_us } = plan.window;
  const steps = [...programme.weather].sort((a, b) => a.from_us - b.from_us).filter((step) => step.from_us < end_us);
  const speed = (step: (typeof steps)[number]): number => step.gust_mps ?? step.wind_mps ?? 0;
  const shown = steps.filter((_, i) => (steps[i + 1]?.from_us ?? end_us) > start_us);
  const [width, height] = [340, 76];
  const most = Math.max(limit ?? 0, ...shown.map(speed), 4) * 1.15;
  const x = (us: number): number => ((Math.max(us, start_us) - start_us) / (end_us - start_us)) * (width - 34);
  const y = (mps: number): number => 4 + (height - 26) * (1 - mps / most);
  const path = shown
    .map((step, i) => {
      const until = x(shown[i + 1]?.from_us ?? end_us);
      return `${i === 0 ? "M" : "L"}${x(step.from_us)} ${y(speed(step))} L${until} ${y(speed(step))}`;
    })
    .join(" ");
  return (
    <section className="sec" data-testid="gusts">
      <div className="h">
        {t("plan.gusts")}
        <span className="sp" />
        <span className="t3 num">{t("plan.gustLimit", { limit: measure(limit, "m/s", 1) })}</span>
      </div>
      {shown.length ? (
        <svg className="gustchart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t("plan.gusts")}>
          {limit === null ? null : (
            <>
              {shown.map((step, i) => {
                const right = x(shown[i + 1]?.from_us ?? end_us);
                return speed(step) > limit ? (
                  <rect
                    key={step.from_us}
                    className="over"
                    x={x(step.from_us)}
                    width={right - x(step.from_us)}
                    y="4"
                    height={height - 26}
                  />
                ) : null;
              })}
              <line className="limit" x1="0" x2={width - 34} y1={y(limit)} y2={y(limit)} />
              <text className="limittext" x={width - 30} y={y(limit) + 4}>
                {figure(limit, 1)}
              </text>
            </>
          )}
          <path d={path} />
          <line className="base" x1="0" x2={width - 34} y1={height - 21} y2={height - 21} />
          <text className="tick" x="0" y={height - 5}>
            {clockOf(start_us, programme.zone)}
          </text>
          <text className="tick" x={width - 34} y={height - 5} textAnchor="end">
            {clockOf(end_us, programme.zone)}
          </text>
        </svg>
      ) : (
        <p className="f13 t3">{t("plan.noWeather")}</p>
      )}
    </section>
  );
}
