// Who was sent, and what became of each push: sent, received, accepted, under way, on scene, with their times.
import { useState } from "react";
import { clockTime, duration } from "../format/figures";
import type { TextKey } from "../i18n/zh";
import { isLiveDispatch } from "../live/incidentBook";
import { useDesk } from "../state/desk";
import { type Failure, recall } from "../state/incidents";
import { mayDispatch } from "../state/roles";
import { selectUnit } from "../state/actions";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { UnitGlyph } from "../ui/icons";
import type { DispatchView, IncidentView } from "../wire.generated";
import { FailureNote } from "./FailureNote";
import { useUnitMeta, useUnitName } from "./names";

const STEPS: readonly [TextKey, (dispatch: DispatchView) => number | null][] = [
  ["dstate.sent", (d) => d.sent_ms],
  ["dstate.received", (d) => d.received_ms],
  ["dstate.accepted", (d) => d.accepted_ms],
  ["dstate.under_way", (d) => d.under_way_ms],
  ["dstate.arrived", (d) => d.arrived_ms],
];
/** A push that is not received for so long asks for a call. */
const LATE_MS = 15_000;

function Receipts({ dispatch }: { dispatch: DispatchView }) {
  const t = useText();
  const { nowMs } = useLive();
  const last = STEPS.reduce((at, [, timeOf], i) => (timeOf(dispatch) === null ? at : i), -1);
  const waits = isLiveDispatch(dispatch) && dispatch.received_ms === null && nowMs - dispatch.queued_ms > LATE_MS;
  return (
    <ol className="receipts five" data-testid="receipts">
      {STEPS.map(([name, timeOf], i) => {
        const at = timeOf(dispatch);
        const tone = at !== null || i < last ? "d" : waits && i === last + 1 ? "n" : "";
        return (
          <li key={name} className={tone} data-step={name.slice(7)} data-done={at !== null}>
            <i />
            <b>{t(name)}</b>
            <span className="num">{at === null ? "–" : clockTime(at)}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Line({
  incident,
  dispatch,
  onFailure,
}: {
  incident: IncidentView;
  dispatch: DispatchView;
  onFailure: (failure: Failure | null) => void;
}) {
  const { role } = useDesk();
  const { nowMs } = useLive();
  const nameOf = useUnitName();
  const metaOf = useUnitMeta();
  const t = useText();
  const lives = isLiveDispatch(dispatch);
  const waited = nowMs - dispatch.queued_ms;
  const notReceived = lives && dispatch.received_ms === null && waited > LATE_MS;
  return (
    <li
      className={`sentline ${lives ? "" : "over"}`}
      data-testid="dispatch"
      data-unit-id={dispatch.unit_id}
      data-state={dispatch.state}
    >
      <div className="row">
        <UnitGlyph name={metaOf(dispatch.unit_id)?.kind ?? "car"} />
        <button type="button" className="ell name" onClick={() => selectUnit(dispatch.unit_id)}>
          <b>{nameOf(dispatch.unit_id)}</b>
        </button>
        <span className={`badge ${dispatch.state === "declined" ? "attn" : dispatch.state === "arrived" ? "acc" : ""}`}>
          {t(`dstate.${dispatch.state}`)}
        </span>
        <span className="sp" />
        {lives && mayDispatch(role) ? (
          <button
            type="button"
            className="btn s ghost"
            data-testid="recall"
            onClick={() => void recall(incident, dispatch.dispatch_id, "").then(onFailure)}
          >
            {t("dispatch.recall")}
          </button>
        ) : null}
      </div>
      {lives ? <Receipts dispatch={dispatch} /> : null}
      {dispatch.reason ? <p className="f12 t3">{dispatch.reason}</p> : null}
      {notReceived ? (
        <p className="f12 c-alarm">
          {dispatch.sent_ms === null
            ? t("dispatch.noPhone")
            : t("dispatch.late", { unit: nameOf(dispatch.unit_id), time: duration(waited) })}
        </p>
      ) : null}
      {dispatch.arrived_by === "track" ? <p className="f12 t3">{t("dispatch.arrivedTrack")}</p> : null}
    </li>
  );
}

export function Sent({ incident }: { incident: IncidentView }) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const t = useText();
  const ordered = [...incident.dispatches].sort(
    (a, b) => Number(isLiveDispatch(b)) - Number(isLiveDispatch(a)) || a.queued_ms - b.queued_ms,
  );
  return (
    <section className="sec sent" aria-label={t("dispatch.title")} data-testid="sent">
      <ul>
        {ordered.map((dispatch) => (
          <Line key={dispatch.dispatch_id} incident={incident} dispatch={dispatch} onFailure={setFailure} />
        ))}
      </ul>
      <FailureNote failure={failure} onSeen={() => setFailure(null)} />
    </section>
  );
}
