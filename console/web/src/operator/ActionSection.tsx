// Orders to a drone: held for 0.8 s or pressed twice, with what they cost said before and what became of them after.
import { useEffect } from "react";
import { clockTime, distance, duration, percent } from "../format/figures";
import type { TextKey } from "../i18n/zh";
import { live } from "../live/live";
import { useDesk } from "../state/desk";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { HoldButton } from "../ui/HoldButton";
import type { ActionView, FlightAction, FlightView, Refusal } from "../wire.generated";
import { begin, cancelOrder, confirm, isRefused, type Pending, pickGoal, usePending } from "./orders";
import { TakeOff } from "./TakeOff";

const SHOWN = 4;
/** After so long without an answer an order says so, and can be given again. */
const SILENT_MS = 3000;
const KEYS: Partial<Record<FlightAction, string>> = { hold: "H", return_home: "R", go_to: "D", continue: "O" };

/** What makes sense now: a sortie on board can be started, a flying one held, continued, sent elsewhere, brought home. */
function offered(flight: FlightView, isAloft: boolean): readonly FlightAction[] {
  const step = flight.sortie?.step ?? null;
  if (!isAloft) return step === "ready" ? ["start"] : ["arm", "take_off"];
  const goesOn: FlightAction[] = step === "paused" || step === "flying" ? ["continue"] : [];
  return ["hold", "go_to", ...goesOn, "return_home", "land"];
}

export function ActionSection({ flight, isAloft }: { flight: FlightView; isAloft: boolean }) {
  const { accountId } = useDesk();
  const t = useText();
  const pending = usePending();
  const isMine = flight.control.holder.kind === "account" && flight.control.holder.account_id === accountId;
  const mine = pending?.unitId === flight.unit_id ? pending : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was begun for one drone is not ordered of another
  useEffect(() => cancelOrder, [flight.unit_id]);
  return (
    <div className="sec" data-testid="flight-actions">
      <div className="h">{t("flight.actions")}</div>
      {isMine ? (
        <>
          <div className="actions">
            {offered(flight, isAloft).map((action) =>
              action === "go_to" ? (
                <GoTo key={action} />
              ) : action === "take_off" ? (
                <TakeOff key={action} unitId={flight.unit_id} />
              ) : (
                <HoldButton
                  key={action}
                  className={`btn ${action === "return_home" ? "home" : ""}`}
                  testId={`action-${action}`}
                  onBegin={() => begin(flight.unit_id, { action })}
                  onDone={() => void confirm()}
                >
                  {t(`flight.action.${action}` as TextKey)}
                  {KEYS[action] ? <span className="kbd">{KEYS[action]}</span> : null}
                </HoldButton>
              ),
            )}
          </div>
          <Goal flight={flight} />
          {mine ? <Cost pending={mine} /> : <p className="f12 t3 hint">{t("flight.actionsHint")}</p>}
        </>
      ) : (
        <p className="f12 t3">{t("flight.needControl")}</p>
      )}
      <ul className="commands" aria-live="polite">
        {flight.actions.slice(0, SHOWN).map((one) => (
          <Ordered key={one.command_id} order={one} />
        ))}
      </ul>
    </div>
  );
}

function GoTo() {
  const t = useText();
  const { picking } = useDesk();
  return (
    <button
      type="button"
      className="btn"
      aria-pressed={picking === "goTo"}
      data-testid="action-go_to"
      onClick={pickGoal}
    >
      {t("flight.action.go_to")}
      <span className="kbd">D</span>
    </button>
  );
}

/** The place that was chosen on the map, and the button that flies there. */
function Goal({ flight }: { flight: FlightView }) {
  const { picking, picked } = useDesk();
  const prepared = usePending()?.prepared ?? null;
  const t = useText();
  const lat_deg = picked?.lat ?? null;
  const lon_deg = picked?.lon ?? null;
  const isChosen = picking === "goTo" && lat_deg !== null && lon_deg !== null;
  useEffect(() => {
    if (!isChosen) return;
    begin(flight.unit_id, { action: "go_to", lat_deg, lon_deg, alt_home_m: heightOf(flight.unit_id) });
  }, [isChosen, lat_deg, lon_deg, flight.unit_id]);
  if (picking !== "goTo") return null;
  if (!isChosen)
    return (
      <p className="f13 c-acc hint" role="status">
        {t("flight.pickPlace")}
      </p>
    );
  return (
    <HoldButton
      className="btn pri wide"
      testId="go-here"
      disabled={prepared !== null && isRefused(prepared)}
      onDone={() => void confirm()}
    >
      {t("flight.goHere")}
    </HoldButton>
  );
}

/** The height that it keeps on its way: its own, never lower than is safe over roofs. */
function heightOf(unitId: number): number {
  const LEAST_M = 60;
  const now = live.store.read(unitId, live.nowMs())?.values.alt_home_dm ?? null;
  return Math.max(LEAST_M, now === null ? LEAST_M : Math.round(now / 10));
}

function Cost({ pending: { prepared, error, isOrdering } }: { pending: Pending }) {
  const t = useText();
  if (error)
    return (
      <p className="c-alarm f12 hint" role="alert" data-testid="action-failed">
        {t("flight.failed", { why: error.detail || t(error.key, error.figures) })}
      </p>
    );
  if (!prepared || isOrdering) return <p className="f12 t3 hint">{t("flight.asking")}</p>;
  const time = prepared.duration_s === null ? "–" : duration(prepared.duration_s * 1000);
  return (
    <div className="cost f12 hint" role="status" data-testid="action-cost">
      {prepared.distance_m === null ? null : (
        <p>{t("flight.cost", { distance: distance(prepared.distance_m), time })}</p>
      )}
      {prepared.battery_ratio === null ? null : (
        <p>{t("flight.costBattery", { battery: `${percent(prepared.battery_ratio, 0)} %` })}</p>
      )}
      {prepared.breaks_off_sortie ? <p className="c-attn">{t("flight.breaksOff")}</p> : null}
      {prepared.warnings.map((warning) => (
        <p key={warning} className="c-attn">
          {t(`flight.warning.${warning}` as TextKey)}
        </p>
      ))}
      {isRefused(prepared) ? <p className="c-alarm">{t("flight.refused")}</p> : null}
      {prepared.refusals.map((refusal) => (
        <Said key={`${refusal.rule_id} ${refusal.reason_en}`} refusal={refusal} />
      ))}
    </div>
  );
}

/** What a rule says to the order, with its numbers and what would make it possible. */
function Said({ refusal }: { refusal: Refusal }) {
  const { language } = useSettings();
  const [reason, remedy] =
    language === "zh" ? [refusal.reason_zh, refusal.remedy_zh] : [refusal.reason_en, refusal.remedy_en];
  return (
    <p
      className={refusal.is_warning ? "c-attn" : "c-alarm"}
      data-testid="action-refusal"
      data-warning={refusal.is_warning}
    >
      <b>{reason}</b> <span className="t3">{refusal.rule_id}</span>
      {remedy ? <span className="t2"> · {remedy}</span> : null}
    </p>
  );
}

function Ordered({ order }: { order: ActionView }) {
  const t = useText();
  const waits = order.state === "queued" || order.state === "sent";
  const silentMs = waits ? live.nowMs() - order.at_ms : 0;
  const isBad = order.state === "refused" || order.state === "expired";
  const said =
    silentMs > SILENT_MS ? t("flight.noAnswer", { s: Math.floor(silentMs / 1000) }) : t(`flight.state.${order.state}`);
  return (
    <li data-testid="flight-order" data-state={order.state}>
      <span className="row">
        <b className="f13">{t(`flight.action.${order.action}` as TextKey)}</b>
        <span className="sp" />
        <span className={`badge ${isBad || silentMs > SILENT_MS ? "attn" : order.state === "delivered" ? "" : "acc"}`}>
          {said}
        </span>
      </span>
      <span className="f12 t3">
        {clockTime(order.at_ms)} · {order.ordered_by} · {t(`flight.way.${order.way}`)}
      </span>
      {order.answer && isBad ? <span className="f12 c-attn">{order.answer}</span> : null}
    </li>
  );
}
