// What else is in hand: calls for help that nobody took first, then the other open incidents.
import { duration } from "../format/figures";
import { placeBeside } from "../format/incidents";
import { nameIn } from "../i18n/text";
import { isUnacknowledged } from "../live/alarmBook";
import { selectUnit } from "../state/actions";
import { useDesk } from "../state/desk";
import { openIncident } from "../state/incidents";
import { mayDispatch } from "../state/roles";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { AcknowledgeButton } from "../ui/AlarmDetail";
import { newCall } from "./acts";
import { Priority, Standing } from "./IncidentPanel";

export function AlsoInHand({ chosenId }: { chosenId: number | null }) {
  const { incidents, alarms, units, nowMs } = useLive();
  const { language } = useSettings();
  const { role } = useDesk();
  const t = useText();
  const calls = alarms.filter((alarm) => isUnacknowledged(alarm) && alarm.priority === 1);
  const others = incidents.filter((each) => each.incident_id !== chosenId);
  return (
    <section aria-label={t("incident.also")} data-testid="also-in-hand">
      <div className="gh still">
        {t("incident.also")}
        <span className="num">{others.length + calls.length}</span>
        <span className="sp" />
        {mayDispatch(role) ? (
          <button type="button" className="btn s ghost" data-testid="new-call" onClick={newCall}>
            {t("incident.new")} <span className="kbd">N</span>
          </button>
        ) : null}
      </div>
      {calls.map((alarm) => {
        const meta = alarm.unit_id === null ? undefined : units.get(alarm.unit_id);
        return (
          <div key={alarm.alarm_id} className="also call" data-testid="also-alarm">
            <Priority urgency={1} />
            <button type="button" className="ell" disabled={!meta} onClick={() => meta && selectUnit(meta.unit_id)}>
              <b>{t(`alarms.${alarm.kind}`)}</b>{" "}
              <span className="t2">{meta ? nameIn(language, meta) || meta.call_sign : t("alarms.unknownUnit")}</span>
            </button>
            <span className="c-alarm num nw">{duration(nowMs - alarm.raised_us / 1000)}</span>
            <AcknowledgeButton alarm={alarm} primary={false} />
          </div>
        );
      })}
      {others.map((incident) => (
        <button
          key={incident.incident_id}
          type="button"
          className="also"
          data-testid="also-incident"
          data-incident-id={incident.incident_id}
          onClick={() => openIncident(incident.incident_id)}
        >
          <Priority urgency={incident.urgency} />
          <span className="ell">
            <b>{incident.title || t(`category.${incident.category}`)}</b>{" "}
            <span className="t2">
              {placeBeside(incident) || (incident.lat_deg === null ? t("incident.placeMissing") : "")}
            </span>
          </span>
          <Standing incident={incident} nowMs={nowMs} />
        </button>
      ))}
    </section>
  );
}
