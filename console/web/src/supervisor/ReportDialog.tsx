// The shift's report: its figures, its incidents with their times, the units' work; to print and as CSV.
import { useEffect, useRef, useState } from "react";
import { get, RequestError } from "../api/client";
import { clockTime, day, duration, figure, percent, UNKNOWN_FIGURE } from "../format/figures";
import { placeBeside } from "../format/incidents";
import { nameIn } from "../i18n/text";
import { changeDesk, useDesk } from "../state/desk";
import { usePlaces } from "../state/places";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { IncidentView, ShiftReport } from "../wire.generated";
import { useUnitName } from "./names";

const HOURS = [8, 12, 24] as const;
const HOUR_MS = 3_600_000;
const seconds = (s: number | null): string => (s === null ? UNKNOWN_FIGURE : duration(s * 1000));

const query = (fromMs: number, toMs: number): string =>
  new URLSearchParams({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }).toString();

function Summary({ report }: { report: ShiftReport }) {
  const t = useText();
  return (
    <table className="figures">
      <thead>
        <tr>
          <th />
          <th className="r">{t("report.count")}</th>
          <th className="r">{t("report.arrived")}</th>
          <th className="r">{t("report.median")}</th>
          <th className="r">{t("report.ninetieth")}</th>
          <th className="r">{t("report.onTarget")}</th>
        </tr>
      </thead>
      <tbody>
        {report.figures.by_urgency.map((each) => (
          <tr key={each.urgency}>
            <th scope="row">P{each.urgency}</th>
            <td className="num r">{each.count}</td>
            <td className="num r">{each.answered}</td>
            <td className="num r">{seconds(each.p50_s)}</td>
            <td className="num r">{seconds(each.p90_s)}</td>
            <td className="num r">
              {each.on_target_ratio === null ? UNKNOWN_FIGURE : `${percent(each.on_target_ratio, 0)} %`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function IncidentLine({ incident }: { incident: IncidentView }) {
  const nameOf = useUnitName();
  const t = useText();
  return (
    <tr>
      <td className="num">{incident.number}</td>
      <td>P{incident.urgency}</td>
      <td>
        {incident.title} <span className="t3">{placeBeside(incident)}</span>
      </td>
      <td className="num">{clockTime(incident.reported_ms)}</td>
      <td>{t(`istate.${incident.state}`)}</td>
      <td>{[...new Set(incident.dispatches.map((each) => nameOf(each.unit_id)))].join(" · ")}</td>
      <td className={`num r ${incident.on_target === false ? "c-attn" : ""}`}>{seconds(incident.response_s)}</td>
      <td className="num r t3">{seconds(incident.target_s)}</td>
    </tr>
  );
}

function Body({ report }: { report: ShiftReport }) {
  const nameOf = useUnitName();
  const t = useText();
  return (
    <>
      <Summary report={report} />
      <h3>
        {t("report.incidents")} <span className="t3 num">{report.incidents.length}</span>
      </h3>
      {report.incidents.length === 0 ? <p className="t3 f13">{t("report.noIncidents")}</p> : null}
      {report.incidents.length ? (
        <table className="figures wide" data-testid="report-incidents">
          <thead>
            <tr>
              <th>{t("report.number")}</th>
              <th />
              <th>{t("new.title")}</th>
              <th>{t("report.reported")}</th>
              <th>{t("more.state")}</th>
              <th>{t("report.units")}</th>
              <th className="r">{t("report.response")}</th>
              <th className="r">{t("report.target")}</th>
            </tr>
          </thead>
          <tbody>
            {report.incidents.map((incident) => (
              <IncidentLine key={incident.incident_id} incident={incident} />
            ))}
          </tbody>
        </table>
      ) : null}
      <h3>
        {t("report.units")} <span className="t3 num">{report.unit_rows.length}</span>
      </h3>
      {report.unit_rows.length === 0 ? <p className="t3 f13">{t("report.noUnits")}</p> : null}
      {report.unit_rows.length ? (
        <table className="figures" data-testid="report-units">
          <thead>
            <tr>
              <th>{t("report.unit")}</th>
              <th className="r">{t("report.sent")}</th>
              <th className="r">{t("report.accepted")}</th>
              <th className="r">{t("report.declined")}</th>
              <th className="r">{t("report.arrived")}</th>
              <th className="r">{t("report.median")}</th>
            </tr>
          </thead>
          <tbody>
            {report.unit_rows.map((row) => (
              <tr key={row.unit_id}>
                <th scope="row">{nameOf(row.unit_id)}</th>
                <td className="num r">{figure(row.sent)}</td>
                <td className="num r">{figure(row.accepted)}</td>
                <td className="num r">{figure(row.declined)}</td>
                <td className="num r">{figure(row.arrived)}</td>
                <td className="num r">{seconds(row.p50_s)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </>
  );
}

export function ReportDialog() {
  const { reportOpen } = useDesk();
  const { language } = useSettings();
  const { city } = usePlaces();
  const { nowMs } = useLive();
  const t = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  const [hours, setHours] = useState<number>(HOURS[0]);
  const [toMs, setToMs] = useState(nowMs);
  const [report, setReport] = useState<ShiftReport | RequestError | null>(null);
  const asked = query(toMs - hours * HOUR_MS, toMs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end of the shift is the moment of opening
  useEffect(() => {
    if (reportOpen) {
      setToMs(nowMs);
      dialog.current?.showModal();
    } else dialog.current?.close();
  }, [reportOpen]);
  useEffect(() => {
    if (!reportOpen) return;
    let gone = false;
    setReport(null);
    get<ShiftReport>(`/api/reports/shift?${asked}`).then(
      (found) => !gone && setReport(found),
      (error: unknown) => {
        if (!(error instanceof RequestError)) throw error;
        if (!gone) setReport(error);
      },
    );
    return () => {
      gone = true;
    };
  }, [reportOpen, asked]);
  const moment = (ms: number): string => `${day(ms, language)} ${clockTime(ms).slice(0, 5)}`;
  return (
    <dialog
      ref={dialog}
      className="report"
      data-testid="report"
      aria-labelledby="report-title"
      onClose={() => changeDesk({ reportOpen: false })}
    >
      <div className="row reporthead">
        <h2 id="report-title">
          {t("report.title")} <span className="t3">{city ? nameIn(language, city) : ""}</span>
        </h2>
        <span className="t2 num nw">
          {t("report.period", { from: moment(toMs - hours * HOUR_MS), to: moment(toMs) })}
        </span>
      </div>
      <div className="row noprint">
        {HOURS.map((each) => (
          <button
            key={each}
            type="button"
            className="btn s"
            aria-pressed={hours === each}
            onClick={() => setHours(each)}
          >
            {t("report.last", { hours: each })}
          </button>
        ))}
        <span className="sp" />
        <a className="btn s" href={`/api/reports/shift.csv?${asked}`} download data-testid="report-csv">
          {t("report.csv")}
        </a>
        <button type="button" className="btn s" data-testid="report-print" onClick={() => globalThis.print()}>
          {t("report.print")}
        </button>
        <button
          type="button"
          className="btn s"
          data-testid="report-close"
          onClick={() => changeDesk({ reportOpen: false })}
        >
          {t("report.close")}
        </button>
      </div>
      <div className="reportbody">
        {report instanceof RequestError ? (
          <p className="c-alarm f13">{t("report.failed", { why: report.detail || t(report.key, report.figures) })}</p>
        ) : null}
        {report && !(report instanceof RequestError) ? <Body report={report} /> : null}
      </div>
    </dialog>
  );
}
