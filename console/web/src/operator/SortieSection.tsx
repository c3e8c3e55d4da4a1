// How far a drone's sortie is: a segment a waypoint, what is left, when it is there.
import { useState } from "react";
import type { RequestError } from "../api/client";
import { clockTime, distance, duration } from "../format/figures";
import { missionOf } from "../format/status";
import { live } from "../live/live";
import { useDesk } from "../state/desk";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { FlightView, SortieView, StatusView } from "../wire.generated";
import { giveBack } from "./orders";

const MOST_SEGMENTS = 24;
const OVER = new Set(["done", "failed"]);

function segmentClass(index: number, sortie: SortieView): string {
  if (index < sortie.flown) return "done";
  return index === sortie.flown && !OVER.has(sortie.step) ? "now" : "ahead";
}

function Segments({ sortie }: { sortie: SortieView }) {
  const share = sortie.waypoint_count ? sortie.flown / sortie.waypoint_count : 0;
  if (sortie.waypoint_count > MOST_SEGMENTS)
    return (
      <div className="bar">
        <i className="acc" style={{ width: `${share * 100}%` }} />
      </div>
    );
  return (
    <div className="segments" aria-hidden="true">
      {Array.from({ length: sortie.waypoint_count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a waypoint is its number
        <i key={index} className={segmentClass(index, sortie)} />
      ))}
    </div>
  );
}

const WAITING = new Set(["handed", "uploading", "ready"]);

/** Give it back while it waits on the ground: then it may be given again, to be flown by somebody else. */
function GiveBack({ unitId }: { unitId: number }) {
  const t = useText();
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState<RequestError | null>(null);
  const give = async (): Promise<void> => {
    setAsking(true);
    setProblem(await giveBack(unitId));
    setAsking(false);
  };
  return (
    <div className="row">
      {problem ? (
        <p className="f12 c-alarm" role="alert">
          {t("flight.failed", { why: problem.detail || t(problem.key, problem.figures) })}
        </p>
      ) : null}
      <span className="sp" />
      <button
        type="button"
        className="btn s"
        data-testid="sortie-give-back"
        disabled={isAsking}
        onClick={() => void give()}
      >
        {t("flight.giveBack")}
      </button>
    </div>
  );
}

/** The sortie that it was given by us, else the mission that it says it flies. */
export function SortieSection({ flight, status }: { flight: FlightView | null; status: StatusView | null }) {
  const t = useText();
  const { language } = useSettings();
  const { accountId } = useDesk();
  const holder = flight?.control.holder;
  const isMine = holder?.kind === "account" && holder.account_id === accountId;
  const sortie = flight?.sortie ?? null;
  const mission = missionOf(status);
  if (!sortie)
    return (
      <div className="sec" data-testid="mission">
        <div className="h bare">
          {t("inspector.mission")}
          <span className="sp" />
          <span className="num t2">{mission ? `${mission.item} / ${mission.total}` : t("flight.noSortie")}</span>
        </div>
        {mission?.segments ? (
          <div className="segments" aria-hidden="true">
            {mission.segments.map((segment, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a waypoint is its number
              <i key={index} className={segment} />
            ))}
          </div>
        ) : null}
      </div>
    );
  const arrives = sortie.arrive_ms;
  const reason = language === "zh" ? sortie.reason_zh : sortie.reason_en;
  const step = t(`flight.step.${sortie.step}`, { sent: sortie.sent_items, total: sortie.item_count ?? "–" });
  return (
    <div className="sec" data-testid="mission" data-step={sortie.step}>
      <div className="h">
        {sortie.plan_id === null ? t("flight.sortie") : t("plan.sortie", { id: sortie.sortie_id })}
        <span
          className={`badge ${sortie.step === "failed" ? "attn" : OVER.has(sortie.step) ? "" : "acc"}`}
          data-testid="sortie-step"
        >
          {step}
        </span>
        <span className="sp" />
        <span className="num t2">{t("flight.waypoint", { item: sortie.flown, total: sortie.waypoint_count })}</span>
      </div>
      <Segments sortie={sortie} />
      <p className="row f12 t3 hint num">
        {sortie.left_m === null || OVER.has(sortie.step) ? null : (
          <span>{t("flight.left", { distance: distance(sortie.left_m) })}</span>
        )}
        <span className="sp" />
        {sortie.arrived_ms === null ? null : (
          <span data-testid="sortie-arrived">{t("flight.arrived", { time: clockTime(sortie.arrived_ms) })}</span>
        )}
        {arrives === null || OVER.has(sortie.step) ? null : (
          <span data-testid="sortie-arrives">
            {t("flight.arrives", { time: clockTime(arrives) })} ·{" "}
            {t("flight.arrivesIn", { time: duration(Math.max(0, arrives - live.nowMs())) })}
          </span>
        )}
      </p>
      {isMine && flight && WAITING.has(sortie.step) && sortie.flown === 0 ? <GiveBack unitId={flight.unit_id} /> : null}
      {reason ? (
        <p className={`f12 ${sortie.step === "failed" ? "c-attn" : "t3"}`} data-testid="sortie-reason">
          {reason}
        </p>
      ) : null}
    </div>
  );
}
