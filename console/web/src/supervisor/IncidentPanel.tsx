// The incident on the desk: what happened, where, who goes or could go, and what else is in hand.
import { useEffect, useState } from "react";
import { duration } from "../format/figures";
import { isClosedIncident, isToSend, liveDispatches } from "../live/incidentBook";
import { changeDesk, useDesk } from "../state/desk";
import { type Failure, incidentOnDesk } from "../state/incidents";
import { mayDispatch } from "../state/roles";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { IncidentView } from "../wire.generated";
import { AlsoInHand } from "./AlsoInHand";
import { onSent, sendChosen } from "./acts";
import { Candidates } from "./Candidates";
import { FailureNote } from "./FailureNote";
import { MorePanel } from "./MorePanel";
import { useUnitName } from "./names";
import { PlacePicker } from "./PlacePicker";
import { Sent } from "./Sent";

export function Priority({ urgency }: { urgency: number }) {
  const tone = urgency === 1 ? "solid" : urgency === 2 ? "attn" : "";
  return <span className={`badge prio ${tone}`}>P{urgency}</span>;
}

/** Since when, and what is awaited: to send in red, then the state's own time, at last the response against its target. */
export function Standing({ incident, nowMs }: { incident: IncidentView; nowMs: number }) {
  const t = useText();
  if (isToSend(incident))
    return (
      <span className="c-alarm num nw">{t("incident.toSend", { time: duration(nowMs - incident.reported_ms) })}</span>
    );
  if (isClosedIncident(incident))
    return <span className="t2 nw">{t("incident.closed", { state: t(`istate.${incident.state}`) })}</span>;
  const late = incident.response_s !== null && incident.response_s > incident.target_s;
  const since = incident.response_s === null ? nowMs - incident.reported_ms : incident.response_s * 1000;
  return (
    <span className={`num nw ${late ? "c-attn" : "t2"}`}>
      {t("incident.since", { state: t(`istate.${incident.state}`), time: duration(since) })}
    </span>
  );
}

function Links({ incident }: { incident: IncidentView }) {
  const t = useText();
  const callable = incident.caller_phone !== "" && !incident.caller_phone.includes("*");
  return (
    <div className="row links">
      {incident.audio_url ? (
        <a
          className="btn s ghost"
          href={incident.audio_url}
          target="_blank"
          rel="noreferrer noopener"
          data-testid="incident-audio"
        >
          <Icon name="play" size={14} />
          {t("incident.audio")}
        </a>
      ) : null}
      {incident.recording_url ? (
        <a className="btn s ghost" href={incident.recording_url} target="_blank" rel="noreferrer noopener">
          <Icon name="play" size={14} />
          {t("incident.recording")}
        </a>
      ) : null}
      {callable ? (
        <a
          className="btn s ghost"
          href={`tel:${incident.caller_phone.replace(/[^0-9+*#]/g, "")}`}
          data-testid="incident-call"
        >
          <Icon name="phone" size={14} />
          {t("incident.callBack")}
        </a>
      ) : null}
      <span className="sp" />
      <span className="t3 f13 num" data-testid="incident-number">
        {incident.number}
      </span>
    </div>
  );
}

function Facts({ incident }: { incident: IncidentView }) {
  const { nowMs } = useLive();
  const t = useText();
  const caller = [incident.caller_name, incident.caller_phone].filter(Boolean).join(" ");
  return (
    <header className="sec facts" data-testid="incident-facts">
      <div className="row">
        <Priority urgency={incident.urgency} />
        <h2 data-testid="incident-title" title={incident.title}>
          {incident.title || t(`category.${incident.category}`)}
        </h2>
        <b data-testid="incident-standing" data-state={incident.state}>
          <Standing incident={incident} nowMs={nowMs} />
        </b>
      </div>
      <p className={incident.place_text ? "t2" : "c-attn"} data-testid="incident-place">
        {incident.place_text ||
          (incident.lat_deg === null
            ? t("incident.placeMissing")
            : `${incident.lat_deg.toFixed(5)}, ${incident.lon_deg?.toFixed(5)}`)}
      </p>
      <p className="t3 quote">
        {incident.text ? `${t("incident.quote", { text: incident.text })} ` : ""}
        {caller ? t("incident.caller", { who: caller }) : t("incident.callerNone")}
      </p>
      {incident.needs.length ? (
        <p className="f13 t2">
          {t("incident.needs", { what: incident.needs.map((need) => t(`equipment.${need}`)).join(" · ") })}
        </p>
      ) : null}
      <Links incident={incident} />
    </header>
  );
}

function SendBar({ incident, isOpen, onMore }: { incident: IncidentView; isOpen: boolean; onMore: () => void }) {
  const { chosenIds, candidatesOf, role } = useDesk();
  const nameOf = useUnitName();
  const t = useText();
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    onSent(setFailure);
    return () => onSent(() => undefined);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another incident forgets the last one's failure
  useEffect(() => setFailure(null), [incident.incident_id]);
  const chosen = candidatesOf === incident.incident_id ? chosenIds : [];
  if (!mayDispatch(role) || isClosedIncident(incident)) return null;
  const send = async (): Promise<void> => {
    setSending(true);
    await sendChosen();
    setSending(false);
  };
  const label = isSending
    ? t("send.sending")
    : chosen.length
      ? t("send.button", { units: chosen.map(nameOf).join(" + ") })
      : t("send.choose");
  return (
    <div className="sec send">
      <div className="row">
        <button
          type="button"
          className="btn pri grow"
          disabled={chosen.length === 0 || isSending}
          data-testid="send-units"
          onClick={() => void send()}
        >
          <span className="ell">{label}</span>
          {chosen.length ? <span className="kbd">Enter</span> : null}
        </button>
        <button type="button" className="btn" aria-expanded={isOpen} data-testid="incident-more" onClick={onMore}>
          {t(isOpen ? "more.close" : "send.more")}
        </button>
      </div>
      <FailureNote failure={failure} what="send.failed" onSeen={() => setFailure(null)} />
      {liveDispatches(incident).length ? null : <p className="f12 t3">{t("send.hint")}</p>}
    </div>
  );
}

export function IncidentPanel() {
  useLive();
  const { incidentId, figures } = useDesk();
  const t = useText();
  const [moreOf, setMoreOf] = useState<number | null>(null);
  const incident = incidentOnDesk();
  const shownId = incident?.incident_id ?? null;
  // What is looked at stays: a call that comes in never takes its place, so that Enter cannot send to another one.
  useEffect(() => {
    if (shownId !== null && incidentId !== shownId) changeDesk({ incidentId: shownId });
  }, [shownId, incidentId]);
  if (!incident) {
    return (
      <aside
        className="panel incident"
        aria-label={t("incident.title")}
        data-testid="incident-panel"
        id="incident"
        tabIndex={-1}
      >
        <div className="scrolls">
          <div className="sec">
            <p>{t("incident.none")}</p>
            <p className="t3 f13">
              {figures
                ? t("incident.noneSince", { n: figures.by_urgency.reduce((sum, each) => sum + each.count, 0) })
                : ""}
            </p>
          </div>
          <AlsoInHand chosenId={null} />
        </div>
      </aside>
    );
  }
  const isOpen = moreOf === incident.incident_id;
  const placeless = incident.lat_deg === null || incident.lon_deg === null;
  return (
    <aside
      className="panel incident"
      aria-label={t("incident.title")}
      data-testid="incident-panel"
      data-incident-id={incident.incident_id}
      id="incident"
      tabIndex={-1}
    >
      <div className="scrolls">
        <Facts incident={incident} />
        {placeless && !isClosedIncident(incident) ? <PlacePicker incident={incident} /> : null}
        {incident.dispatches.length ? <Sent incident={incident} /> : null}
        {placeless || isClosedIncident(incident) ? null : <Candidates incident={incident} />}
        <SendBar incident={incident} isOpen={isOpen} onMore={() => setMoreOf(isOpen ? null : incident.incident_id)} />
        {isOpen ? <MorePanel key={incident.incident_id} incident={incident} /> : null}
        <AlsoInHand chosenId={incident.incident_id} />
      </div>
    </aside>
  );
}
