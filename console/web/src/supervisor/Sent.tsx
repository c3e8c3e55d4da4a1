// Who was sent, and what became of each push: sent, received, accepted, under way, on scene, with their times.
import { useState } from "react";
import { protocolName } from "../devices/words";
import { clockTime, duration } from "../format/figures";
import type { Translate } from "../i18n/text";
import type { TextKey } from "../i18n/zh";
import { isLiveDispatch } from "../live/incidentBook";
import { selectUnit } from "../state/actions";
import { useDesk } from "../state/desk";
import { type Failure, recall } from "../state/incidents";
import { mayDispatch } from "../state/roles";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { UnitGlyph } from "../ui/icons";
import type { DispatchView, IncidentView } from "../wire.generated";
import { FailureNote } from "./FailureNote";
import { useUnitMeta, useUnitName } from "./names";
import { type PushTrouble, troubleOf } from "./pushTrouble";

const STEPS: readonly [TextKey, (dispatch: DispatchView) => number | null][] = [
  ["dstate.sent", (d) => d.sent_ms],
  ["dstate.received", (d) => d.received_ms],
  ["dstate.accepted", (d) => d.accepted_ms],
  ["dstate.under_way", (d) => d.under_way_ms],
  ["dstate.arrived", (d) => d.arrived_ms],
];

function Receipts({ dispatch, trouble }: { dispatch: DispatchView; trouble: PushTrouble | null }) {
  const t = useText();
  const last = STEPS.reduce((at, [, timeOf], i) => (timeOf(dispatch) === null ? at : i), -1);
  return (
    <ol className="receipts five" data-testid="receipts">
      {STEPS.map(([name, timeOf], i) => {
        const at = timeOf(dispatch);
        const tone = at !== null || i < last ? "d" : trouble && i === last + 1 ? "n" : "";
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

/** What a push came by, in words: a page, or the screen of a device. */
function channelName(channel: string, t: Translate): string {
  const [protocol = "", kind] = channel.split(" ");
  return kind === "text" ? t("channel.text", { protocol: protocolName(t, protocol) }) : channel;
}

function Trouble({ dispatch, trouble }: { dispatch: DispatchView; trouble: PushTrouble }) {
  const { nowMs } = useLive();
  const nameOf = useUnitName();
  const t = useText();
  const time = duration(nowMs - dispatch.queued_ms);
  const text =
    trouble === "no_channel"
      ? t("dispatch.byRadio")
      : trouble === "unanswered"
        ? t("dispatch.unanswered", { time })
        : dispatch.sent_ms === null
          ? t("dispatch.noPhone")
          : t("dispatch.late", { unit: nameOf(dispatch.unit_id), time });
  return (
    <p
      className={`f12 num ${trouble === "unanswered" ? "c-attn" : "c-alarm"}`}
      data-testid="push-trouble"
      data-trouble={trouble}
    >
      {text}
    </p>
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
  const trouble = troubleOf(dispatch, incident.urgency, nowMs);
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
      {lives ? <Receipts dispatch={dispatch} trouble={trouble} /> : null}
      {lives && dispatch.channel && dispatch.channel !== "none" && dispatch.channel !== "page" ? (
        <p className="f12 t3" data-testid="dispatch-channel">
          {t("channel.via", { channel: channelName(dispatch.channel, t) })}
        </p>
      ) : null}
      {dispatch.reason ? <p className="f12 t3">{dispatch.reason}</p> : null}
      {trouble ? <Trouble dispatch={dispatch} trouble={trouble} /> : null}
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
