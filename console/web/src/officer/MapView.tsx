// The map of one task: pin, way, me, stations, the time that is left, and the hand-over to a navigation app.
import { useEffect, useReducer, useRef, useState } from "react";
import { get, RequestError } from "../api/client";
import { duration, measure } from "../format/figures";
import { nameIn } from "../i18n/text";
import { live } from "../live/live";
import { GLYPHS } from "../map/glyphs";
import { type MadeMap, useMadeMap } from "../map/useMadeMap";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { StationsReply, StationView, TaskView, UnitKind } from "../wire.generated";
import { type Place, type Remaining, remainingOf } from "./route";
import { WEAK_M } from "./sharing";
import type { Look, TaskMap } from "./taskMap";

const FAR_M = 950;
const PIN = "M0 0-8-9.5V-23h16v13.5Z";

export const targetOf = ({ incident }: TaskView): Place | null =>
  incident.lat_deg === null || incident.lon_deg === null ? null : [incident.lon_deg, incident.lat_deg];

const wayOf = (task: TaskView): readonly Place[] => task.way as unknown as readonly Place[];

/** What is left to go; nothing for who is there. */
export function remainingFor(task: TaskView, me: Place | null): Remaining | null {
  const { travel_s, distance_m, arrived_ms } = task.dispatch;
  if (arrived_ms !== null) return null;
  return remainingOf({ way: wayOf(task), target: targetOf(task), travelS: travel_s, distanceM: distance_m }, me);
}

/** RFC 5870, with the words that map apps show beside it; the phone decides which app opens. */
export function navigationLink(target: Place, title: string): string {
  const place = `${target[1].toFixed(6)},${target[0].toFixed(6)}`;
  return `geo:${place}?q=${place}(${encodeURIComponent(title)})`;
}

function useTaskMap(look: Look, redraw: () => void): MadeMap<TaskMap> {
  const made = useMadeMap(async (box, newest: () => Look) => {
    const { makeTaskMap } = await import("./taskMap");
    return makeTaskMap(box, newest, redraw);
  }, look);
  const { map, error, retry } = made;
  useEffect(() => {
    if (!error) return;
    globalThis.addEventListener("online", retry);
    return () => globalThis.removeEventListener("online", retry);
  }, [error, retry]);
  const { theme, language, way } = look;
  useEffect(() => map?.show({ theme, language, way }), [map, theme, language, way]);
  return made;
}

function useStations(): readonly StationView[] {
  const [stations, setStations] = useState<readonly StationView[]>([]);
  useEffect(() => {
    get<StationsReply>("/api/stations").then(
      (reply) => setStations(reply.stations),
      (error: unknown) => {
        if (!(error instanceof RequestError)) throw error;
      },
    );
  }, []);
  return stations;
}

function Shield({ station }: { station: StationView }) {
  const { language } = useSettings();
  return (
    <>
      <path className="ostn" d={GLYPHS.station.fill[0]} transform="translate(-13.5 -13.5) scale(1.125)" />
      <text className="ostx" y="3.5">
        {String(station.number).padStart(2, "0")}
      </text>
      <text className="osname" y="-18">
        {nameIn(language, station)}
      </text>
    </>
  );
}

function Me({ kind, weak }: { kind: UnitKind; weak: boolean }) {
  return (
    <>
      <circle className={`ome ${weak ? "weak" : ""}`} r="13" />
      <g className="omeglyph" transform="translate(-8 -8) scale(.667)">
        {GLYPHS[kind].fill.map((path) => (
          <path key={path} d={path} fillRule="evenodd" />
        ))}
      </g>
    </>
  );
}

interface MarksProps {
  readonly map: TaskMap;
  readonly task: TaskView;
  readonly me: Place | null;
  readonly accuracyM: number | null;
  readonly unitId: number | null;
}

function Marks({ map, task, me, accuracyM, unitId }: MarksProps) {
  const stations = useStations();
  const target = targetOf(task);
  const { urgency } = task.incident;
  const place = (at: Place): string => {
    const { x, y } = map.at(at);
    return `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  };
  const kind = (unitId === null ? undefined : live.store.meta.get(unitId))?.kind ?? "officer";
  return (
    <svg className="omarks" aria-hidden="true">
      {stations.map((station) => (
        <g key={station.station_id} transform={place([station.lon_deg, station.lat_deg])}>
          <Shield station={station} />
        </g>
      ))}
      {me ? (
        <g transform={place(me)} data-testid="me-mark">
          <Me kind={kind} weak={(accuracyM ?? 0) > WEAK_M} />
        </g>
      ) : null}
      {target ? (
        <g transform={place(target)} className={`opin p${urgency}`} data-testid="pin">
          <path d={PIN} />
          <text y="-11">{urgency}</text>
        </g>
      ) : null}
    </svg>
  );
}

function Left({ remaining }: { remaining: Remaining }) {
  const t = useText();
  const { metres, seconds, alongWay } = remaining;
  return (
    <div className="ctl row oleft" data-testid="remaining">
      {seconds === null ? null : <b className="num">{duration(seconds * 1000)}</b>}
      <span className="t2 num f13">
        {metres >= FAR_M ? measure(metres / 1000, "km", 1) : measure(Math.round(metres / 10) * 10, "m")}
        {alongWay ? "" : ` ${t("officer.task.straight")}`}
      </span>
    </div>
  );
}

export interface MapViewProps {
  readonly task: TaskView;
  readonly me: Place | null;
  readonly accuracyM: number | null;
  readonly unitId: number | null;
}

export function MapView({ task, me, accuracyM, unitId }: MapViewProps) {
  const { theme, language } = useSettings();
  const t = useText();
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const target = targetOf(task);
  const way = useStableWay(task);
  const { box, map, error, retry } = useTaskMap({ theme, language, way }, redraw);
  const remaining = remainingFor(task, me);
  useEffect(
    () => map?.look([...way, ...(target ? [target] : []), ...(me ? [me] : [])]),
    [map, way, target?.[0], target?.[1], me?.[0], me?.[1]],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new task is shown whole, whatever the map showed before
  useEffect(() => map?.fit(), [map, task.dispatch.dispatch_id, way]);
  return (
    <section className="map omap" data-testid="task-map" data-ready={map !== null} aria-label={t("officer.task.map")}>
      <div ref={box} className="mapbox" />
      {map ? <Marks map={map} task={task} me={me} accuracyM={accuracyM} unitId={unitId} /> : null}
      {map?.facts.attribution ? <div className="oattribution">{map.facts.attribution}</div> : null}
      {remaining ? <Left remaining={remaining} /> : null}
      <div className="omaptools">
        <button
          type="button"
          className="btn"
          aria-label={t("officer.task.fit")}
          data-testid="task-fit"
          onClick={() => map?.fit()}
        >
          <Icon name="fit" />
        </button>
        {target ? (
          <a className="btn" data-testid="navigate" href={navigationLink(target, task.incident.title)}>
            {t("officer.task.navigate")}
          </a>
        ) : null}
      </div>
      {target ? null : <p className="ctl mapnote">{t("officer.task.noMap")}</p>}
      {error ? (
        <div className="ctl mapnote">
          {t("officer.task.mapFailed", { why: error.detail || t(error.key, error.figures) })}{" "}
          <button type="button" className="btn s" onClick={retry}>
            {t("map.retry")}
          </button>
        </div>
      ) : null}
    </section>
  );
}

/** The same way stays the same array, although each message brings a new copy. */
function useStableWay(task: TaskView): readonly Place[] {
  const way = wayOf(task);
  const kept = useRef(way);
  if (JSON.stringify(kept.current) !== JSON.stringify(way)) kept.current = way;
  return kept.current;
}
