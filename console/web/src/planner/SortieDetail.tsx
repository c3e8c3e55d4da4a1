// Right: the chosen sortie, who flies it, when, how far, what it lands with; handed to its pilot, or exported.
import { clockTime, distance, duration, measure, percent, THIN_SPACE } from "../format/figures";
import { type Language, nameIn } from "../i18n/text";
import type { TextKey } from "../i18n/zh";
import { selectUnit } from "../state/actions";
import { change, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { showScreen } from "../supervisor/keys";
import { live } from "../live/live";
import { Icon } from "../ui/icons";
import type { Plan, Programme, Sortie, SortieView } from "../wire.generated";
import { handOver } from "./acts";
import { clockOf, spanText } from "./days";
import { Exports } from "./Exports";
import { changePlanDesk, usePlanDesk } from "./planDesk";
import { problemText } from "./words";

interface Props {
  readonly plan: Plan;
  readonly programme: Programme;
  readonly sortie: Sortie;
  readonly mayFly: boolean;
}

interface StandingProps extends Pick<Props, "plan" | "sortie"> {
  readonly unitId: number | null;
  /** The sortie in its pilot's hands; null where its drone has none or another. */
  readonly given: SortieView | null;
}

const US_PER_MS = 1000;

function Facts({ programme, sortie }: Pick<Props, "programme" | "sortie">) {
  const t = useText();
  const { language } = useSettings();
  const name = <T extends { name: string }>(found: T | undefined): string => found?.name ?? "–";
  const { airframes, docks, batteries, crews, tasks, zone } = programme;
  const facts: [string, string][] = [
    [
      t("plan.col.task"),
      tasks
        .filter((task) => sortie.task_ids.includes(task.task_id))
        .map((task) => nameIn(language, task))
        .join(" · "),
    ],
    [t("plan.col.airframe"), name(airframes.find((each) => each.airframe_id === sortie.airframe_id))],
    [t("plan.one.docks"), name(docks.find((each) => each.dock_id === sortie.dock_id))],
    [t("plan.one.batteries"), name(batteries.find((each) => each.battery_id === sortie.battery_id))],
    [t("plan.one.crews"), name(crews.find((each) => each.crew_id === sortie.crew_id))],
    [
      t("plan.flies"),
      `${spanText({ start_us: sortie.takeoff_us, end_us: sortie.landing_us }, zone)} · ${duration((sortie.landing_us - sortie.takeoff_us) / 1000)}`,
    ],
    ...(sortie.on_watch ? [[t("plan.onWatch"), spanText(sortie.on_watch, zone)] as [string, string]] : []),
    [t("plan.col.length"), distance(sortie.length_m)],
    [t("plan.waypoints"), String(sortie.waypoints.length)],
    [t("plan.transitHeight"), measure(sortie.transit_alt_home_m, "m")],
    [t("plan.col.battery"), `${percent(sortie.landing_battery_ratio, 0)}${THIN_SPACE}%`],
    [t("plan.freeAgain"), clockOf(sortie.free_us, zone)],
    ...(sortie.delayed_s > 0 ? [[t("plan.delayed"), duration(sortie.delayed_s * 1000)] as [string, string]] : []),
    ...(sortie.approval ? [[t("plan.f.approval"), sortie.approval] as [string, string]] : []),
  ];
  return (
    <dl className="facts">
      {facts.map(([label, value]) => (
        <div key={label} className="row">
          <dt className="f13 t3 nw">{label}</dt>
          <span className="sp" />
          <dd className="f13 num ell">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Why it waits or ended early, in its pilot's words; what the plan kept of that where nobody has it in hand. */
function reasonIn(language: Language, said: Pick<SortieView, "reason_zh" | "reason_en">): string {
  return language === "zh" ? said.reason_zh : said.reason_en;
}

/** How far it is with its pilot, what keeps its drone away, and why it waits. */
function Standing({ plan, sortie, unitId, given }: StandingProps) {
  const t = useText();
  const { language } = useSettings();
  const due = unitId === null ? [] : live.flights.dueAt(unitId);
  const mine = due.find((each) => each.plan_id === plan.plan_id && each.sortie_id === sortie.sortie_id);
  const reason = reasonIn(language, given ?? sortie);
  return (
    <>
      {given ? (
        <p className="f13" role="status" data-testid="sortie-step" data-step={given.step}>
          {t(`flight.step.${given.step}`, { sent: given.sent_items, total: given.item_count ?? 0 })}
        </p>
      ) : null}
      {reason ? (
        <p className="f12 c-attn" data-testid="sortie-why">
          {reason}
        </p>
      ) : null}
      {mine && mine.busy_until_us !== null ? (
        <p className="f12 c-attn" data-testid="sortie-away">
          {t(mine.is_called_away ? "flight.calledAway" : "flight.busyUntil", {
            time: clockTime(mine.busy_until_us / US_PER_MS),
          })}
        </p>
      ) : null}
    </>
  );
}

/** Why a sortie cannot be handed over now, null where it can. */
function lockedBy({ plan, sortie, unitId, given }: StandingProps): TextKey | null {
  if (plan.plan_id === 0 || (plan.state !== "published" && plan.state !== "approved")) return "plan.publishFirst";
  if (unitId === null) return "plan.noUnitYet";
  if (given?.step === "done" || sortie.state === "flown") return "plan.flownAlready";
  if (sortie.landing_us / US_PER_MS <= live.nowMs()) return "plan.timeOver";
  return given && given.step !== "failed" ? "plan.givenAlready" : null;
}

export function SortieDetail({ plan, programme, sortie, mayFly }: Props) {
  const t = useText();
  useLive();
  const { busy, problem } = usePlanDesk();
  const airframe = programme.airframes.find((each) => each.airframe_id === sortie.airframe_id);
  const unitId = airframe?.unit_id ?? null;
  const flight = unitId === null ? null : live.flights.of(unitId);
  const given =
    flight?.sortie?.plan_id === plan.plan_id && flight.sortie.sortie_id === sortie.sortie_id ? flight.sortie : null;
  const standing = { plan, sortie, unitId, given };
  const locked = lockedBy(standing);
  const fly = (): void => {
    showScreen("operator");
    if (unitId !== null) selectUnit(unitId);
    else change({ selectedId: null });
  };
  return (
    <>
      <div className="dh sidehead">
        <b className="f13">{t("plan.sortie", { id: sortie.sortie_id })}</b>
        <span className="badge line">
          {sortie.is_standby ? t("plan.standby") : t(`plan.sortieState.${sortie.state}`)}
        </span>
        <span className="sp" />
        <button
          type="button"
          className="iconbtn"
          aria-label={t("help.close")}
          data-testid="sortie-close"
          onClick={() => changePlanDesk({ sortieId: null })}
        >
          <Icon name="close" size={16} />
        </button>
      </div>
      <div className="sidebody" data-testid="sortie-detail">
        <div className="sec">
          <Facts programme={programme} sortie={sortie} />
          <Standing {...standing} />
        </div>
        {mayFly ? (
          <div className="sec form">
            {problem ? (
              <p className="f13 c-alarm" role="alert">
                {problemText(t, problem)}
              </p>
            ) : null}
            <div className="row wrap">
              <button
                type="button"
                className="btn pri"
                data-testid="hand-over"
                disabled={locked !== null || busy !== ""}
                onClick={() => unitId !== null && void handOver(unitId, sortie.sortie_id)}
              >
                {t(given?.step === "failed" ? "plan.handOverAgain" : "plan.handOver")}
              </button>
              <button type="button" className="btn" data-testid="to-operator" disabled={unitId === null} onClick={fly}>
                {t("plan.toOperator")}
              </button>
            </div>
            {locked ? (
              <p className="f12 t3" data-testid="sortie-locked">
                {t(locked)}
              </p>
            ) : null}
          </div>
        ) : null}
        {plan.plan_id ? (
          <div className="sec">
            <div className="h">{t("plan.export")}</div>
            <Exports planId={plan.plan_id} sortieId={sortie.sortie_id} />
          </div>
        ) : null}
      </div>
    </>
  );
}
