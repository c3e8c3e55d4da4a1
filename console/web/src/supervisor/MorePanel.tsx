// The rest of what can be done with an incident: its urgency and place, clearing, handing over, not police work, its history.
import { useEffect, useState } from "react";
import { RequestError } from "../api/client";
import { clockTime } from "../format/figures";
import { nameIn } from "../i18n/text";
import type { TextKey } from "../i18n/zh";
import { zh } from "../i18n/zh";
import { isClosedIncident } from "../live/incidentBook";
import { useDesk } from "../state/desk";
import { edit, type Failure, historyOf, setState } from "../state/incidents";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { EntryView, IncidentView } from "../wire.generated";
import { FailureNote } from "./FailureNote";
import { useUnitName } from "./names";
import { PlacePicker } from "./PlacePicker";

type Ending = "cleared" | "handed_over" | "non_police";
const ENDINGS: readonly [Ending, TextKey][] = [
  ["cleared", "more.clear"],
  ["handed_over", "more.handOver"],
  ["non_police", "more.nonPolice"],
];

const keyIn = (...keys: string[]): TextKey | null => (keys.find((key) => key in zh) as TextKey | undefined) ?? null;

/** What was done, in words: a new state by its name, a change by what was changed, anything unknown as it is called. */
function useDeed(): (entry: EntryView) => string {
  const t = useText();
  return (entry) => {
    const { action, state, changes } = entry;
    if (action === "state" && state) return t(`istate.${state}`);
    const key = keyIn(`entry.${action}`, `dstate.${action}`);
    const word = key ? t(key) : action;
    const what = Object.keys(changes).map((name) => {
      const named = keyIn(`changed.${name}`);
      return named ? t(named) : name;
    });
    return [word, [...new Set(what)].join(" · ")].filter(Boolean).join(" ");
  };
}

function History({ incident }: { incident: IncidentView }) {
  const nameOf = useUnitName();
  const deedOf = useDeed();
  const t = useText();
  const [entries, setEntries] = useState<readonly EntryView[] | RequestError | null>(null);
  const dispatched = JSON.stringify(incident.dispatches.map((each) => each.state));
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the incident brings new lines
  useEffect(() => {
    let gone = false;
    void historyOf(incident.incident_id).then((found) => !gone && setEntries(found));
    return () => {
      gone = true;
    };
  }, [incident.incident_id, incident.version, dispatched]);
  if (entries === null) return null;
  if (entries instanceof RequestError)
    return (
      <p className="f13 c-attn">{t("history.failed", { why: entries.detail || t(entries.key, entries.figures) })}</p>
    );
  if (entries.length === 0) return <p className="f13 t3">{t("history.empty")}</p>;
  return (
    <ol className="history" data-testid="history">
      {entries.map((entry) => (
        <li key={entry.entry_id}>
          <span className="num t3">{clockTime(entry.at_ms)}</span>
          <span>
            {deedOf(entry)}
            {entry.unit_id === null ? "" : ` ${nameOf(entry.unit_id)}`}
            <span className="t3">
              {entry.account_name ? ` · ${entry.account_name}` : ""}
              {entry.note ? ` · ${entry.note}` : ""}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function EndForm({ incident, onFailure }: { incident: IncidentView; onFailure: (failure: Failure | null) => void }) {
  const { agencies } = useDesk();
  const { language } = useSettings();
  const t = useText();
  const [ending, setEnding] = useState<Ending | null>(null);
  const [note, setNote] = useState("");
  const fitting = [...agencies].sort(
    (a, b) => Number(b.categories.includes(incident.category)) - Number(a.categories.includes(incident.category)),
  );
  const [agencyId, setAgencyId] = useState<number | null>(null);
  const chosen = fitting.find((each) => each.agency_id === agencyId) ?? fitting[0];
  const act = async (): Promise<void> => {
    if (ending === null) return;
    const agency_id = ending === "cleared" ? null : (chosen?.agency_id ?? null);
    const failure = await setState(incident, { state: ending, note, agency_id });
    onFailure(failure);
    if (!failure) setEnding(null);
  };
  return (
    <>
      <div className="row wrap">
        {ENDINGS.map(([state, key]) => (
          <button
            key={state}
            type="button"
            className="btn s"
            aria-pressed={ending === state}
            data-testid={`end-${state}`}
            onClick={() => setEnding(ending === state ? null : state)}
          >
            {t(key)}
          </button>
        ))}
      </div>
      {ending === null ? null : (
        <div className="form">
          {ending === "cleared" ? null : fitting.length ? (
            <label>
              {t("more.agency")}
              <select
                className="field"
                data-testid="agency"
                value={chosen?.agency_id}
                onChange={(event) => setAgencyId(Number(event.target.value))}
              >
                {fitting.map((agency) => (
                  <option key={agency.agency_id} value={agency.agency_id}>
                    {nameIn(language, agency)} {agency.phone}
                  </option>
                ))}
              </select>
            </label>
          ) : (
            <p className="f13 t3">{t("more.agencyNone")}</p>
          )}
          {ending !== "cleared" && chosen?.phone ? (
            <a className="btn s ghost" href={`tel:${chosen.phone}`}>
              {t("more.call", { phone: chosen.phone })}
            </a>
          ) : null}
          <label>
            {t("more.note")}
            <input
              className="field"
              value={note}
              maxLength={200}
              data-testid="end-note"
              onChange={(event) => setNote(event.target.value)}
            />
          </label>
          <button type="button" className="btn pri" data-testid="end-save" onClick={() => void act()}>
            {t(ENDINGS.find(([state]) => state === ending)![1])}
          </button>
        </div>
      )}
    </>
  );
}

export function MorePanel({ incident }: { incident: IncidentView }) {
  const t = useText();
  const [failure, setFailure] = useState<Failure | null>(null);
  return (
    <div className="sec form" data-testid="more-panel">
      {isClosedIncident(incident) ? null : (
        <>
          <div className="row wrap" role="group" aria-label={t("more.urgency")}>
            <span className="f13 t3">{t("more.urgency")}</span>
            {[1, 2, 3].map((urgency) => (
              <button
                key={urgency}
                type="button"
                className="btn s"
                aria-pressed={incident.urgency === urgency}
                data-testid={`urgency-${urgency}`}
                onClick={() => void edit(incident, { urgency }).then(setFailure)}
              >
                P{urgency}
              </button>
            ))}
          </div>
          <EndForm incident={incident} onFailure={setFailure} />
          <FailureNote failure={failure} onSeen={() => setFailure(null)} />
          {incident.lat_deg === null ? null : <PlacePicker incident={incident} />}
        </>
      )}
      <div className="h bare">
        {t("more.history")}
        <span className="t3 num f12">{t("incident.version", { n: incident.version })}</span>
      </div>
      <History incident={incident} />
    </div>
  );
}
