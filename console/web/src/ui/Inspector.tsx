// The inspector: everything known of the selected unit; what is unknown is an en dash.
import { UnitDeviceSections } from "../devices/UnitDeviceSections";
import { age, bearing, clockTime, figure, measure, scaled } from "../format/figures";
import { nameIn, type Translate } from "../i18n/text";
import type { TextKey } from "../i18n/zh";
import { live } from "../live/live";
import type { UnitReading } from "../live/unitStore";
import { FlightSections } from "../operator/FlightSections";
import { deselect, toggleFollow } from "../state/actions";
import { useDesk } from "../state/desk";
import { usePlaces } from "../state/places";
import { mayCommand } from "../state/roles";
import { change, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { DUTY_STATUSES, type StatusView, UnitBit, type UnitMeta } from "../wire.generated";
import { Icon, UnitGlyph } from "./icons";
import { HeadingTape, HeightLadder } from "./instruments";
import { qualityTexts } from "./qualityText";
import { MissionSection, ModeBadge, StatusTextSection } from "./StatusSections";
import { TrackSection } from "./TrackSection";

const TONE = { live: "acc", stale: "attn", lost: "alarm", never: "" } as const;
const LOW_BATTERY_PCT = 25;

function Meter({ name, value, unit, id }: { name: string; value: string; unit: string; id: string }) {
  return (
    <div data-testid={id}>
      {name}
      <b className="num">
        {value}
        <i>{value === "–" ? "" : unit}</i>
      </b>
    </div>
  );
}

function flightState(bits: number, t: Translate): string {
  const parts: string[] = [];
  if (bits & UnitBit.AIRBORNE_KNOWN)
    parts.push(t(bits & UnitBit.AIRBORNE ? "inspector.airborne" : "inspector.onGround"));
  if (bits & UnitBit.ARMED_KNOWN) parts.push(t(bits & UnitBit.ARMED ? "inspector.armed" : "inspector.disarmed"));
  if (bits & UnitBit.REPLAYED) parts.push(t("state.replayed"));
  if (bits & UnitBit.IDENTITY_CONFLICT) parts.push(t("state.conflict"));
  return parts.join(" · ") || "–";
}

function Head({ meta, reading, status }: { meta: UnitMeta; reading: UnitReading; status: StatusView | null }) {
  const { language } = useSettings();
  const { stations } = usePlaces();
  const t = useText();
  const station = stations.find((each) => each.station_id === meta.station_id);
  const duty = DUTY_STATUSES[reading.values.duty ?? -1] ?? meta.duty_status;
  const sos = (reading.bits & UnitBit.SOS) !== 0;
  const tone = sos ? "solid" : meta.kind === "drone" ? "" : "acc";
  return (
    <div className="unithead">
      <UnitGlyph name={meta.kind} size={36} />
      <div style={{ minWidth: 0 }}>
        <h2 className="ell" data-testid="inspector-name">
          {nameIn(language, meta) || meta.call_sign}
        </h2>
        <div className="f12 t3 ell">
          {nameIn(language, meta) && nameIn(language, meta) !== meta.call_sign ? `${meta.call_sign} · ` : ""}
          {station
            ? t("station.of", { number: String(station.number).padStart(2, "0"), name: nameIn(language, station) })
            : t("station.none")}
        </div>
      </div>
      <span className="sp" />
      <div className="tags">
        <ModeBadge meta={meta} status={status} />
        <span className={`badge ${tone}`}>{sos ? t("state.sos") : t(`duty.${duty}`)}</span>
      </div>
      <button
        type="button"
        className="iconbtn"
        data-testid="inspector-close"
        aria-label={t("inspector.close")}
        title={t("inspector.close")}
        onClick={deselect}
      >
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

function Instruments({ meta, reading }: { meta: UnitMeta; reading: UnitReading }) {
  const t = useText();
  const { values } = reading;
  const flies = meta.kind === "drone";
  const height = scaled(values.alt_home_dm, 10);
  return (
    <div className="sec">
      <HeadingTape ddeg={values.heading_ddeg ?? (flies ? null : values.course_ddeg)} />
      <div className="instruments">
        {flies ? <HeightLadder heightM={height} /> : null}
        <div className="meter">
          {flies ? (
            <Meter id="reading-height" name={t("inspector.heightHome")} value={figure(height)} unit="m" />
          ) : null}
          <Meter
            id="reading-speed"
            name={t("inspector.speed")}
            value={figure(scaled(values.speed_cmps, 100), 1)}
            unit="m/s"
          />
        </div>
        <div className="meter">
          <Meter
            id="reading-altitude"
            name={t("inspector.altitude")}
            value={figure(scaled(values.alt_msl_dm, 10))}
            unit="m"
          />
          {flies ? (
            <Meter
              id="reading-climb"
              name={t("inspector.climb")}
              value={figure(scaled(values.climb_cmps, 100), 1)}
              unit="m/s"
            />
          ) : null}
        </div>
      </div>
    </div>
  );
}

function BatteryBar({ pct }: { pct: number | null }) {
  const t = useText();
  return (
    <div className="sec">
      <div className="h">
        {t("inspector.battery")}
        <span className="sp" />
        <span className="num" data-testid="reading-battery">
          {measure(pct, "%")}
        </span>
      </div>
      <div className="bar">
        <i className={pct !== null && pct < LOW_BATTERY_PCT ? "attn" : ""} style={{ width: `${pct ?? 0}%` }} />
      </div>
    </div>
  );
}

function Facts({ meta, reading }: { meta: UnitMeta; reading: UnitReading }) {
  const { connection } = useLive();
  const { role } = useDesk();
  const t = useText();
  const lost = connection.phase === "lost";
  const { values } = reading;
  const doubts = qualityTexts(values.quality ?? 0);
  const fix = values.fix === null ? "–" : t(`fix.${Math.max(0, Math.min(6, values.fix))}` as TextKey);
  const facts: [string, string, string][] = [
    ["link", t("inspector.link"), lost ? t("inspector.unknown") : t(`fresh.${reading.freshness}`)],
    ["age", t("inspector.dataAge"), age(reading.ageMs, t)],
    ["mode", t("inspector.mode"), flightState(reading.bits, t)],
    ["course", t("inspector.course"), bearing(values.course_ddeg)],
    [
      "fix",
      t("inspector.fix"),
      `${fix}${values.satellites === null ? "" : ` · ${t("inspector.satellites", { n: values.satellites })}`}`,
    ],
    [
      "accuracy",
      t("inspector.accuracy"),
      values.accuracy_dm === null ? "–" : `±${measure(values.accuracy_dm / 10, "m", 1)}`,
    ],
    ["observed", t("inspector.observed"), clockTime(reading.observedMs)],
  ];
  // Those who may see more of them have a section of their own for devices.
  if (!mayCommand(role))
    facts.push([
      "devices",
      t("inspector.devices"),
      meta.devices.map((device) => device.label || device.protocol).join(", ") || "–",
    ]);
  return (
    <div className="sec">
      <dl className="kv">
        {facts.map(([id, name, value]) => (
          <div key={id} style={{ display: "contents" }}>
            <dt>{name}</dt>
            <dd className="num ell" data-testid={`reading-${id}`}>
              {id === "link" ? (
                <span className={`badge ${lost ? "line" : TONE[reading.freshness]}`}>{value}</span>
              ) : (
                value
              )}
            </dd>
          </div>
        ))}
      </dl>
      {doubts.length > 0 ? (
        <div className="chips" style={{ marginTop: 10 }}>
          {doubts.map((key) => (
            <span key={key} className="badge line">
              {t(key)}
            </span>
          ))}
        </div>
      ) : null}
    </div>
  );
}

export function Inspector({ unitId }: { unitId: number }) {
  const { units, connection } = useLive();
  const { follow } = useSettings();
  const t = useText();
  const meta = units.get(unitId);
  const reading = live.store.read(unitId, live.nowMs());
  if (!meta || !reading) return null;
  const status = live.statuses.of(unitId);
  return (
    <aside className="panel inspector" aria-label={t("inspector.title")} data-testid="inspector" data-unit-id={unitId}>
      <div className="sec">
        <Head meta={meta} reading={reading} status={status} />
        {reading.freshness === "live" || connection.phase === "lost" || reading.ageMs === null ? null : (
          <p className="c-attn f12" style={{ marginTop: 8 }} data-testid="last-known">
            {t("inspector.lastKnown", { age: age(reading.ageMs, t) })}
          </p>
        )}
        {connection.phase === "lost" ? (
          <p className="c-alarm f12" style={{ marginTop: 8 }}>
            {t("map.frozen", { time: clockTime(live.drawnAtMs()) })}
          </p>
        ) : null}
      </div>
      <Instruments meta={meta} reading={reading} />
      {meta.kind === "drone" ? (
        <FlightSections meta={meta} reading={reading} status={status} />
      ) : (
        <BatteryBar pct={reading.values.battery_pct} />
      )}
      {meta.kind === "drone" ? null : <MissionSection meta={meta} status={status} />}
      <StatusTextSection meta={meta} status={status} nowMs={live.nowMs()} />
      <Facts meta={meta} reading={reading} />
      <UnitDeviceSections unitId={unitId} />
      <div className="sec">
        <div className="actions">
          <button
            type="button"
            className={`btn ${follow ? "pri" : ""}`}
            aria-pressed={follow}
            data-testid="follow"
            onClick={toggleFollow}
          >
            {t(follow ? "inspector.following" : "inspector.follow")}
            <span className="kbd">F</span>
          </button>
          <TrackSection meta={meta} />
        </div>
        <TrackNote unitId={unitId} />
      </div>
    </aside>
  );
}

function TrackNote({ unitId }: { unitId: number }) {
  const { track } = useSettings();
  const t = useText();
  if (track?.unitId !== unitId) return null;
  return (
    <p className="f12 t3" style={{ marginTop: 8 }} data-testid="track-note">
      {track.path.length ? t("track.shown", { points: track.path.length, minutes: track.minutes }) : t("track.empty")}{" "}
      <button type="button" className="c-acc" onClick={() => change({ track: null })}>
        {t("inspector.hideTrack")}
      </button>
    </p>
  );
}
