// The chart itself: sorties with the slope of their battery, charging, relays with their handovers, refusals by number.
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import { percent } from "../format/figures";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { clockOf, DAY_S, dayOf, dayText, momentOf, type Span, spanText, US } from "./days";
import type { Bar, Block, Chart, Lane, Row } from "./gantt";
import { ticksOf } from "./gantt";
import { changePlanDesk, chooseSortie, usePlanDesk } from "./planDesk";

export const ROW_PX = 46;
const BLOCK_PX = 28;
const LABEL_PX = 152;
const AXIS_PX = 34;
const TICK_PX = 88;
const LETTER_PX = 8;
const SUN_PX = 84;
/** Below this width a day of the week is written without its month. */
const WEEK_WORDS_PX = 620;
const DAY_US = DAY_S * US;

export interface Marks {
  readonly sunset_us: readonly number[];
  readonly sunrise_us: readonly number[];
  readonly gusts: readonly (Span & { readonly gust_mps: number })[];
  readonly now_us: number;
}

interface Props {
  readonly chart: Chart;
  readonly range: Span;
  readonly zone: string;
  readonly isWeek: boolean;
  readonly marks: Marks;
}

function useWidth(box: RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const seen = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    if (box.current) seen.observe(box.current);
    return () => seen.disconnect();
  }, [box]);
  return width;
}

type Scale = (us: number) => number;

function Slope({ block, x, top }: { block: Block; x: Scale; top: number }) {
  const [left, right] = [x(block.start_us), x(block.end_us)];
  const landing = top + BLOCK_PX * (1 - block.sortie.landing_battery_ratio);
  const bottom = top + BLOCK_PX;
  return (
    <polygon className="slope" points={`${left},${top} ${right},${landing} ${right},${bottom} ${left},${bottom}`} />
  );
}

function clipped(label: string, width: number): string {
  const most = Math.floor((width - 8) / LETTER_PX);
  if (label.length <= most) return label;
  return most < 2 ? "" : `${label.slice(0, most - 1)}…`;
}

function Sorties({
  blocks,
  rows,
  x,
  top,
  zone,
}: {
  blocks: readonly Block[];
  rows: readonly Row[];
  x: Scale;
  top: (row: string) => number;
  zone: string;
}) {
  const t = useText();
  const { sortieId, chosen } = usePlanDesk();
  const shown = blocks.filter((block) => rows.some((row) => row.key === block.row));
  const first = shown.find((block) => block.sortie.sortie_id === sortieId) ?? shown[0];
  return (
    <g>
      {shown.map((block) => {
        const { sortie } = block;
        const [left, right] = [x(block.start_us), x(block.end_us)];
        const isChosen = sortie.sortie_id === sortieId;
        const isOf = chosen?.kind === "tasks" && sortie.task_ids.includes(chosen.id);
        const y = top(block.row) + (ROW_PX - BLOCK_PX) / 2;
        const name = `${block.names} ${spanText(block, zone)}, ${t("plan.landsWith", { percent: percent(sortie.landing_battery_ratio, 0) })}`;
        return (
          <g
            key={block.key}
            role="button"
            tabIndex={block === first ? 0 : -1}
            aria-label={`${t("plan.sortie", { id: sortie.sortie_id })}: ${name}`}
            aria-pressed={isChosen}
            className={`sortie ${block.isEvent ? "event" : ""} ${sortie.is_standby ? "standby" : ""} ${sortie.is_refused ? "refused" : ""} ${isChosen ? "sel" : ""} ${isOf ? "of" : ""} ${sortie.state}`}
            data-testid="gantt-sortie"
            data-sortie-id={sortie.sortie_id}
            data-row={block.row}
            data-start={block.start_us}
            onClick={() => chooseSortie(sortie.sortie_id)}
          >
            <title>{name}</title>
            <rect x={left} y={y} width={Math.max(3, right - left)} height={BLOCK_PX} rx={3} className="body" />
            {sortie.is_standby ? null : <Slope block={block} x={x} top={y} />}
            <rect x={left} y={y} width={Math.max(3, right - left)} height={BLOCK_PX} rx={3} className="edge" />
            <text x={(left + right) / 2} y={y + BLOCK_PX / 2 + 4.5} textAnchor="middle">
              {clipped(block.label, right - left)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

function Relay({ lane, x, top }: { lane: Lane; x: Scale; top: number }) {
  const { sortieId } = usePlanDesk();
  const half = 10;
  const y = (bar: Bar): number => top + ROW_PX / 2 + (bar.half === 0 ? -half - 0.5 : 0.5);
  const ends = lane.bars.map((bar) => bar.end_us);
  const [first, last] = [x(lane.bars[0]!.start_us), x(Math.max(...ends))];
  const least = ends.length * 16 > last - first ? 0.5 : 1.6;
  return (
    <g className="relay">
      <rect
        className="frame"
        x={first - 1}
        y={top + ROW_PX / 2 - half - 3}
        width={last - first + 2}
        height={half * 2 + 6}
      />
      {lane.bars.map((bar) => (
        <rect
          key={bar.sortieId}
          className={`bar ${bar.sortieId === sortieId ? "sel" : ""}`}
          x={x(bar.start_us)}
          y={y(bar)}
          width={Math.max(2, x(bar.end_us) - x(bar.start_us))}
          height={half}
        />
      ))}
      {lane.overlaps.map((each) => (
        <rect
          key={each.start_us}
          className="overlap"
          x={x(each.start_us)}
          y={top + ROW_PX / 2 - half - 3}
          width={Math.max(least, x(each.end_us) - x(each.start_us))}
          height={half * 2 + 6}
        />
      ))}
    </g>
  );
}

function offsetOf(us: number, zone: string): number {
  const day = dayOf(us, zone);
  return Date.parse(`${day}T00:00:00Z`) * 1000 - (momentOf(`${day}T00:00:00`, zone) ?? 0);
}

/** The arrows go to the next sortie of the row, or to the nearest in time of another row. */
function move(event: KeyboardEvent<HTMLElement>): void {
  const steps: Record<string, [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  const at = (event.target as Element).closest<SVGGElement>("[data-sortie-id]");
  if (!at) return;
  if (event.key === "Enter" || event.key === " ") {
    chooseSortie(Number(at.dataset.sortieId));
    event.preventDefault();
    return;
  }
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const all = [...event.currentTarget.querySelectorAll<SVGGElement>("[data-sortie-id]")];
  const start = (each: SVGGElement): number => Number(each.dataset.start);
  const top = (each: SVGGElement): number => each.getBoundingClientRect().top;
  const [along, across] = step;
  const candidates = all.filter((each) =>
    along
      ? each.dataset.row === at.dataset.row && Math.sign(start(each) - start(at)) === along
      : Math.sign(Math.round(top(each) - top(at))) === across,
  );
  const cost = (each: SVGGElement): number =>
    Math.abs(start(each) - start(at)) + (across ? Math.abs(top(each) - top(at)) * 1e12 : 0);
  const next = candidates.sort((a, b) => cost(a) - cost(b))[0];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

export function GanttChart({ chart, range, zone, isWeek, marks }: Props) {
  const t = useText();
  const { language } = useSettings();
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const { refusal } = usePlanDesk();
  const plot = Math.max(60, width - LABEL_PX - 16);
  const x: Scale = (us) => ((us - range.start_us) / (range.end_us - range.start_us)) * plot;
  const rows = chart.rows;
  const tops = new Map(rows.map((row, i) => [row.key, (chart.lanes.length + i) * ROW_PX]));
  const top = (row: string): number => tops.get(row) ?? 0;
  const height = (chart.lanes.length + rows.length) * ROW_PX;
  const ticks = ticksOf(range, Math.max(2, plot / TICK_PX), offsetOf(range.start_us, zone));
  const isIn = (us: number): boolean => us > range.start_us && us < range.end_us;
  const suns = isWeek
    ? []
    : [
        ...marks.sunset_us.filter(isIn).map((us) => ({ us, word: "plan.sunset" as const })),
        ...marks.sunrise_us.filter(isIn).map((us) => ({ us, word: "plan.sunrise" as const })),
      ];
  const isFree = (us: number): boolean =>
    suns.every((sun) => Math.abs(x(sun.us) - x(us)) > (SUN_PX + TICK_PX) / 2 - 20);
  const seen = (span: Span): boolean => span.start_us < range.end_us && span.end_us > range.start_us;
  return (
    <div className="gantt" ref={box} role="group" aria-label={t("plan.chart")} onKeyDown={move} data-testid="gantt">
      <svg className="axis" width={width} height={AXIS_PX} aria-hidden="true">
        <g transform={`translate(${LABEL_PX} 0)`}>
          {ticks.filter(isFree).map((us) => (
            <text
              key={us}
              x={isWeek ? (x(us) + x(us + DAY_US)) / 2 : x(us)}
              y={22}
              textAnchor="middle"
              className="tick"
              display={isWeek && us >= range.end_us ? "none" : undefined}
            >
              {isWeek ? dayText(dayOf(us, zone), language, { isShort: plot < WEEK_WORDS_PX }) : clockOf(us, zone)}
            </text>
          ))}
          {suns.map(({ us, word }) => (
            <text key={us} x={Math.min(x(us), plot + 16 - SUN_PX / 2)} y={22} textAnchor="middle" className="sun">
              {t(word, { time: clockOf(us, zone) })}
            </text>
          ))}
          {marks.gusts.filter(seen).map((each) => (
            <text key={each.start_us} x={Math.max(0, x(each.start_us)) + 4} y={22} className="sun">
              {t("plan.gustMark", { gust: each.gust_mps.toFixed(1) })}
            </text>
          ))}
        </g>
      </svg>
      <div className="ganttrows">
        <svg width={width} height={height}>
          <title>{t("plan.chart")}</title>
          <defs>
            <pattern id="hatch-charge" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <line x1="0" y1="0" x2="0" y2="7" className="hatchline" />
            </pattern>
            <pattern id="hatch-gust" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <line x1="0" y1="0" x2="0" y2="9" className="hatchgust" />
            </pattern>
            <clipPath id="gantt-plot">
              <rect x="0" y="0" width={plot + 14} height={height} />
            </clipPath>
          </defs>
          {[
            ...chart.lanes.map((lane) => ({
              key: `lane${lane.taskId}`,
              title: `${lane.letter} · ${lane.title}`,
              subtitle: t(lane.isUnbroken ? "plan.relayUnbroken" : "plan.relayBroken"),
            })),
            ...rows,
          ].map((row, i) => (
            <g key={row.key} transform={`translate(0 ${i * ROW_PX})`}>
              <line className="rowline" x1="0" x2={width} y1="0.5" y2="0.5" />
              <text className="rowtitle" x="20" y="20">
                {clipped(row.title || t("plan.unplaced"), LABEL_PX)}
              </text>
              <text className="rowsub" x="20" y="36">
                {row.subtitle}
              </text>
            </g>
          ))}
          <g transform={`translate(${LABEL_PX} 0)`} clipPath="url(#gantt-plot)">
            {ticks.map((us) => (
              <line key={us} className="tickline" x1={x(us)} x2={x(us)} y1="0" y2={height} />
            ))}
            {marks.gusts.filter(seen).map((each) => (
              <rect
                key={each.start_us}
                x={x(each.start_us)}
                width={x(each.end_us) - x(each.start_us)}
                y="0"
                height={height}
                fill="url(#hatch-gust)"
              />
            ))}
            {suns.map(({ us }) => (
              <line key={us} className="sunline" x1={x(us)} x2={x(us)} y1="0" y2={height} />
            ))}
            {chart.lanes.map((lane, i) => (
              <Relay key={lane.taskId} lane={lane} x={x} top={i * ROW_PX} />
            ))}
            {chart.charges.filter(seen).map((each) => (
              <rect
                key={each.key}
                className="charge"
                x={x(each.start_us) + 2}
                width={Math.max(0, x(each.end_us) - x(each.start_us) - 4)}
                y={top(each.row) + ROW_PX / 2 - 3}
                height="6"
                fill="url(#hatch-charge)"
              />
            ))}
            {chart.refused.filter(seen).map((each) => {
              const left = Math.max(1, x(each.start_us));
              const wide = Math.max(34, Math.min(x(each.end_us), plot - 1) - left);
              const y = top(each.row) + (ROW_PX - BLOCK_PX) / 2;
              return (
                <g
                  key={each.number}
                  role="button"
                  tabIndex={0}
                  className={`refusedblock ${refusal === each.number ? "sel" : ""}`}
                  aria-label={t("plan.refusalNumber", { n: each.number })}
                  data-testid="gantt-refused"
                  onClick={() => changePlanDesk({ refusal: each.number, sortieId: null })}
                  onKeyDown={(event) => {
                    if (event.key === "Enter") changePlanDesk({ refusal: each.number, sortieId: null });
                  }}
                >
                  <rect x={left} y={y} width={wide} height={BLOCK_PX} rx="3" />
                  <circle cx={left + wide / 2} cy={y + BLOCK_PX / 2} r="9" />
                  <text x={left + wide / 2} y={y + BLOCK_PX / 2 + 4.5} textAnchor="middle">
                    {each.number}
                  </text>
                </g>
              );
            })}
            <Sorties blocks={chart.blocks.filter(seen)} rows={rows} x={x} top={top} zone={zone} />
            {isIn(marks.now_us) ? (
              <line className="nowline" x1={x(marks.now_us)} x2={x(marks.now_us)} y1="0" y2={height} />
            ) : null}
          </g>
        </svg>
      </div>
    </div>
  );
}
