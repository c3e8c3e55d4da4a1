// One geofence: what it is, who is inside now, who was, who shall stay inside.
import { useState } from "react";
import { RequestError } from "../api/client";
import { clockTime, day, figure, measure } from "../format/figures";
import { nameIn } from "../i18n/text";
import { usePlaces } from "../state/places";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import type { AreaAssignmentsReply, AreaAssignmentView, GeofenceView, VisitsReply } from "../wire.generated";
import { selectUnit } from "../state/actions";
import { showScreen } from "../supervisor/keys";
import { UnitPicker } from "../devices/UnitPicker";
import { assignArea, endAssignment, removeFence } from "./acts";
import { changeFence, stepBack } from "./fenceDesk";
import { concernText, heightText, toKmh, windowText } from "./words";

const VISITS_EVERY_MS = 5000;
const VISITS_SHOWN = 12;

function useUnitName(): (unitId: number) => string {
  const { units } = useLive();
  const { language } = useSettings();
  const t = useText();
  return (unitId) => {
    const meta = units.get(unitId);
    return meta ? nameIn(language, meta) || meta.call_sign : t("alarms.unknownUnit");
  };
}

function Facts({ fence }: { fence: GeofenceView }) {
  const { stations } = usePlaces();
  const { language } = useSettings();
  const t = useText();
  const owner = stations.find((each) => each.station_id === fence.station_id);
  const height = heightText(t, fence);
  const facts: [string, string][] = [
    [t("fence.when"), windowText(t, fence)],
    ...(height ? [[t("fence.height"), height] as [string, string]] : []),
    [t("fence.concerns"), concernText(t, language, fence, stations)],
    [t("fence.owner"), owner ? nameIn(language, owner) : t("fence.wholeForce")],
  ];
  if (fence.radius_m !== null) facts.push([t("fence.radius"), figure(fence.radius_m)]);
  if (fence.width_m !== null) facts.push([t("fence.width"), figure(fence.width_m)]);
  if (fence.limit_mps !== null) facts.push([t("fence.limit"), figure(toKmh(fence.limit_mps))]);
  if (fence.dwell_s !== null) facts.push([t("fence.dwell"), measure(fence.dwell_s, "s")]);
  return (
    <dl className="facts" data-testid="fence-facts">
      {facts.map(([name, value]) => (
        <div key={name} className="row">
          <dt className="f13 t3">{name}</dt>
          <span className="sp" />
          <dd className="f13 num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Visits({ fence }: { fence: GeofenceView }) {
  const t = useText();
  const nameOf = useUnitName();
  const { data } = usePolled<VisitsReply>(
    `/api/geofences/${fence.geofence_id}/visits?limit=${VISITS_SHOWN}`,
    VISITS_EVERY_MS,
  );
  const visits = data?.visits ?? [];
  return (
    <div className="sec">
      <div className="h">{t("fence.visits")}</div>
      {visits.length ? (
        <table className="visits" data-testid="fence-visits">
          <thead>
            <tr>
              <th>{t("devices.unit")}</th>
              <th>{t("fence.entered")}</th>
              <th>{t("fence.left")}</th>
            </tr>
          </thead>
          <tbody>
            {visits.slice(0, VISITS_SHOWN).map((visit) => (
              <tr key={`${visit.device_id} ${visit.entered_ms}`}>
                <td className="ell">{nameOf(visit.unit_id)}</td>
                <td className="num">{clockTime(visit.entered_ms)}</td>
                <td className="num" title={visit.is_judged_late ? t("fence.late") : undefined}>
                  {visit.left_ms === null ? t("fence.stillInside") : clockTime(visit.left_ms)}
                  {visit.is_judged_late ? " *" : ""}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="f13 t3">{t("fence.noVisits")}</p>
      )}
      {visits.some((visit) => visit.is_judged_late) ? <p className="f12 t3 hint">* {t("fence.late")}</p> : null}
    </div>
  );
}

function Assigned({ fence }: { fence: GeofenceView }) {
  const t = useText();
  const nameOf = useUnitName();
  const { stations } = usePlaces();
  const { language } = useSettings();
  const [isAdding, setAdding] = useState(false);
  const [problem, setProblem] = useState("");
  const { data, again } = usePolled<AreaAssignmentsReply>("/api/geofences/assignments", VISITS_EVERY_MS);
  const { nowMs } = useLive();
  const mine = (data?.assignments ?? []).filter(
    (each) => each.geofence_id === fence.geofence_id && (each.to_ms === null || each.to_ms > nowMs),
  );
  const done = (reply: unknown): void => {
    setProblem(reply instanceof RequestError ? reply.detail || t(reply.key, reply.figures) : "");
    setAdding(false);
    again();
  };
  const assign = (unit_id: number | null, station_id: number | null): void => {
    void assignArea({ geofence_id: fence.geofence_id, unit_id, station_id }).then(done);
  };
  const whose = (each: AreaAssignmentView): string => {
    const station = stations.find((one) => one.station_id === each.station_id);
    return each.unit_id !== null ? nameOf(each.unit_id) : station ? nameIn(language, station) : "";
  };
  return (
    <div className="sec">
      <div className="h">{t("fence.assigned")}</div>
      {mine.length ? (
        <ul className="assigned" data-testid="fence-assigned">
          {mine.map((each) => (
            <li key={each.assignment_id} className="row">
              <b className="f13 ell">{whose(each)}</b>
              <span className="f12 t3 ell">
                {each.to_ms === null ? t("fence.untilTold") : t("fence.until", { time: clockTime(each.to_ms) })}
              </span>
              <span className="sp" />
              {fence.is_managed ? (
                <button
                  type="button"
                  className="btn s ghost"
                  onClick={() => void endAssignment(each.assignment_id).then(done)}
                >
                  {t("fence.endAssign")}
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      ) : (
        <p className="f13 t3">{t("fence.noAssigned")}</p>
      )}
      {problem ? (
        <p className="c-alarm f13" role="alert">
          {problem}
        </p>
      ) : null}
      {fence.is_managed ? (
        isAdding ? (
          <div className="form hint">
            <UnitPicker unitId={null} label={t("fence.assignUnit")} onPick={(unitId) => assign(unitId, null)} />
            <select
              className="field"
              aria-label={t("fence.assignStation")}
              value=""
              onChange={(event) => assign(null, Number(event.target.value))}
            >
              <option value="">{t("fence.assignStation")}</option>
              {stations.map((station) => (
                <option key={station.station_id} value={station.station_id}>
                  {nameIn(language, station)}
                </option>
              ))}
            </select>
          </div>
        ) : (
          <button type="button" className="btn s hint" data-testid="fence-assign" onClick={() => setAdding(true)}>
            {t("fence.assign")}
          </button>
        )
      ) : null}
    </div>
  );
}

export function FenceDetail({ fence, onChanged }: { fence: GeofenceView; onChanged: () => void }) {
  const { language } = useSettings();
  const t = useText();
  const nameOf = useUnitName();
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState("");
  const remove = async (): Promise<void> => {
    const reply = await removeFence(fence.geofence_id);
    if (reply instanceof RequestError) return setProblem(reply.detail || t(reply.key, reply.figures));
    stepBack();
    onChanged();
  };
  const changed = `${day(fence.changed_ms, language)} ${clockTime(fence.changed_ms)}`;
  return (
    <div data-testid="fence-detail" data-geofence-id={fence.geofence_id}>
      <div className="sec">
        <div className="row">
          <h2 className="ell">{nameIn(language, fence)}</h2>
          <span className="sp" />
          {fence.raises_alarm ? <span className="badge attn">{t("fence.alarms")}</span> : null}
        </div>
        <p className="f12 t3">{t("fence.changedBy", { who: fence.changed_by, time: changed })}</p>
        <Facts fence={fence} />
        {problem ? (
          <p className="c-alarm f13" role="alert">
            {problem}
          </p>
        ) : null}
        {!fence.is_managed ? null : isAsking ? (
          <div className="form hint" role="alertdialog" aria-label={t("fence.remove")}>
            <p className="f13">{t("fence.removeSure", { name: nameIn(language, fence) })}</p>
            <div className="row">
              <button type="button" className="btn ghost" onClick={() => setAsking(false)}>
                {t("fence.keep")}
              </button>
              <span className="sp" />
              <button type="button" className="btn" data-testid="fence-remove-yes" onClick={() => void remove()}>
                {t("fence.remove")}
              </button>
            </div>
          </div>
        ) : (
          <div className="row hint">
            <button type="button" className="btn s" data-testid="fence-change" onClick={() => changeFence(fence)}>
              {t("fence.change")}
            </button>
            <button type="button" className="btn s ghost" data-testid="fence-remove" onClick={() => setAsking(true)}>
              {t("fence.remove")}
            </button>
          </div>
        )}
      </div>
      <div className="sec">
        <div className="h">
          {t("fence.inside")} <span className="t3 num">{fence.inside_unit_ids.length || ""}</span>
        </div>
        {fence.inside_unit_ids.length ? (
          <div className="chips" data-testid="fence-inside">
            {fence.inside_unit_ids.map((unitId) => (
              <button
                key={unitId}
                type="button"
                className="chip"
                data-unit-id={unitId}
                title={t("inspector.place")}
                onClick={() => {
                  showScreen("operator");
                  selectUnit(unitId);
                }}
              >
                {nameOf(unitId)}
              </button>
            ))}
          </div>
        ) : (
          <p className="f13 t3">{t("fence.nobodyInside")}</p>
        )}
      </div>
      <Assigned fence={fence} />
      <Visits fence={fence} />
    </div>
  );
}
