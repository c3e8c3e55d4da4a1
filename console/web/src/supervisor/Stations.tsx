// The street stations in ring order: who is on duty, 3-minute cover against plan, and why a zone is off it; then gaps and open links.
import { clockTime, duration, figure, percent, UNKNOWN_FIGURE } from "../format/figures";
import { whyOpen } from "../format/ring";
import { nameIn } from "../i18n/text";
import { currentMap } from "../map/current";
import { selectUnit } from "../state/actions";
import { changeDesk, useDesk } from "../state/desk";
import { usePlaces } from "../state/places";
import { change, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { Gap, RingLink, StationShares, StationView } from "../wire.generated";
import { isOffPlan } from "./Kpis";
import { linkNames, useStationName, useStationNumber, useUnitName } from "./names";

/** A zone whose cover is so far below plan stands out; with somebody missing its whole row does. */
const ZONE_OFF_PLAN = 0.1;
const NAMED = 2;
const CLOSERS = 3;

/** Nobody of the station is on duty and online. */
const isEmpty = (shares: StationShares): boolean => shares.on_duty === 0;

function Missing({ shares }: { shares: StationShares }) {
  const { language } = useSettings();
  const nameOf = useUnitName();
  const t = useText();
  const names = shares.missing_unit_ids
    .slice(0, NAMED)
    .map(nameOf)
    .join(language === "zh" ? "、" : ", ");
  const away = shares.missing_unit_ids.length;
  const behind = t("sup.offPlan", { points: figure(((shares.plan[1] ?? 0) - (shares.shares[1] ?? 0)) * 100) });
  const who = isEmpty(shares)
    ? t("sup.nobodyOnDuty")
    : away === 0
      ? behind
      : away > NAMED
        ? t("sup.missingMore", { units: names, n: away })
        : t("sup.missing", { units: names });
  return (
    <div className="why ell" title={who}>
      {who}
    </div>
  );
}

function Row({ station, shares }: { station: StationView; shares: StationShares | undefined }) {
  const { language, stationId } = useSettings();
  const on = stationId === station.station_id;
  const [share, plan] = [shares?.shares[1] ?? null, shares?.plan[1] ?? null];
  const off = isOffPlan(share, plan, ZONE_OFF_PLAN);
  const short = shares !== undefined && (isEmpty(shares) || shares.missing_unit_ids.length > 0);
  const name = nameIn(language, station);
  const choose = (): void => {
    change({ stationId: on ? null : station.station_id });
    if (!on) currentMap()?.camera.near([station.lon_deg, station.lat_deg]);
  };
  return (
    <tr
      className={`${off && short ? "warn" : ""} ${on ? "on" : ""}`}
      data-testid="station-row"
      data-station-id={station.station_id}
      data-off-plan={off}
    >
      <th scope="row">
        <button
          type="button"
          className="name"
          aria-pressed={on}
          title={`${name} ${percent(share, 0)} %`}
          onClick={choose}
        >
          <span className="num t3">{String(station.number).padStart(2, "0")}</span>
          <span className="ell">{name}</span>
        </button>
        {shares && off && short ? <Missing shares={shares} /> : null}
      </th>
      <td className={`num r ${shares && (isEmpty(shares) || shares.on_duty < shares.crew) ? "c-attn" : ""}`}>
        {shares ? shares.on_duty : UNKNOWN_FIGURE}
        <span className="t3">/{shares ? shares.crew : UNKNOWN_FIGURE}</span>
      </td>
      <td>
        <span className="bar tick" aria-hidden="true">
          <i className={off ? "attn" : "quiet"} style={{ width: `${Math.min(100, (share ?? 0) * 100)}%` }} />
          {plan === null ? null : <u style={{ left: `${Math.min(98, plan * 100)}%` }} />}
        </span>
      </td>
      <td className="num r" title={plan === null ? undefined : `${percent(plan, 0)} %`}>
        {percent(share, 0)}
      </td>
    </tr>
  );
}

function GapLine({ gap }: { gap: Gap }) {
  const { gapLabel } = useDesk();
  const nameOf = useUnitName();
  const stationOf = useStationName();
  const t = useText();
  const on = gapLabel === gap.label;
  const worst = gap.worst_s === null ? t("gap.unreached") : duration(gap.worst_s * 1000);
  const look = (): void => {
    changeDesk({ gapLabel: on ? null : gap.label });
    if (!on) currentMap()?.camera.near([gap.lon_deg, gap.lat_deg]);
  };
  return (
    <li className={on ? "on" : ""} data-testid="gap-row" data-label={gap.label}>
      <button type="button" className="gaphead" aria-expanded={on} onClick={look}>
        <b className="c-attn">{t("gap.plate", { label: gap.label, area: figure(gap.area_km2, 1) })}</b>
        <span className="t3 ell">{stationOf(gap.station_id)}</span>
      </button>
      <div className="f12 t3 num ell">
        {t("gap.facts", { road: figure(gap.road_km, 1), worst })}
        {gap.people_ratio === null ? "" : ` · ${t("gap.people", { share: percent(gap.people_ratio, 1) })}`}
      </div>
      {gap.closers.slice(0, on ? CLOSERS : 1).map((closer) => (
        <button key={closer.unit_id} type="button" className="closer" onClick={() => selectUnit(closer.unit_id)}>
          <span className="ell">{nameOf(closer.unit_id)}</span>
          <span className="num">{duration(closer.travel_s * 1000)}</span>
        </button>
      ))}
    </li>
  );
}

function OpenLink({ link }: { link: RingLink }) {
  const { coverage } = useLive();
  const numberOf = useStationNumber();
  const t = useText();
  const [from, to] = linkNames(link, numberOf).split("–");
  const look = (): void => {
    if (link.worst_lon_deg !== null && link.worst_lat_deg !== null)
      currentMap()?.camera.near([link.worst_lon_deg, link.worst_lat_deg]);
  };
  return (
    <li data-testid="ring-row">
      <button type="button" className="gaphead" onClick={look}>
        <b className="c-attn">{t("ring.open", { from: from!, to: to! })}</b>
        <span className="num c-attn">{whyOpen(link, coverage?.stations ?? [], numberOf, t)}</span>
      </button>
    </li>
  );
}

export function Stations() {
  const { coverage } = useLive();
  const { stations } = usePlaces();
  const t = useText();
  const shares = new Map(coverage?.stations.map((each) => [each.station_id, each]));
  const inRing = [...stations].sort((a, b) => (a.ring_order ?? 1e9) - (b.ring_order ?? 1e9) || a.number - b.number);
  const open = (coverage?.ring?.links.filter((link) => !link.closed) ?? []).sort(
    (a, b) => (b.missing_s ?? Number.POSITIVE_INFINITY) - (a.missing_s ?? Number.POSITIVE_INFINITY),
  );
  return (
    <aside className="panel stations" aria-label={t("sup.stations")} data-testid="stations">
      <div className="scrolls">
        <div className="stationhead">
          <div className="h">
            {t("sup.stations")} <span className="t3 num">{stations.length || ""}</span>
            <span className="sp" />
            <span className="t3 f12">{t("sup.byRing")}</span>
          </div>
        </div>
        <table className="sta">
          <colgroup>
            <col />
            <col style={{ width: 50 }} />
            <col style={{ width: 92 }} />
            <col style={{ width: 46 }} />
          </colgroup>
          <thead>
            <tr>
              <th>{t("sup.station")}</th>
              <th className="r">{t("sup.onDuty")}</th>
              <th className="r" colSpan={2}>
                {t("sup.cover3")}
              </th>
            </tr>
          </thead>
          <tbody>
            {inRing.map((station) => (
              <Row key={station.station_id} station={station} shares={shares.get(station.station_id)} />
            ))}
          </tbody>
        </table>
        <div className="gh still">
          {t("gap.title")}
          <span className="sp" />
          <span className="num">{coverage ? coverage.gaps.length + open.length : UNKNOWN_FIGURE}</span>
        </div>
        <ul className="gaps" data-testid="gap-list">
          {open.map((link) => (
            <OpenLink key={`${link.from_station_id}-${link.to_station_id}`} link={link} />
          ))}
          {coverage?.gaps.map((gap) => (
            <GapLine key={gap.label} gap={gap} />
          ))}
          {coverage && coverage.gaps.length === 0 ? <li className="t3 f13">{t("gap.none")}</li> : null}
          {coverage ? null : <li className="t3 f13">{t("sup.waiting")}</li>}
        </ul>
        <p className="f12 t3 foot">
          {t("sup.tick")}
          {coverage ? ` · ${t("sup.asOf", { time: clockTime(coverage.at_ms) })}` : ""}
          {coverage?.off_map_count ? ` · ${t("sup.offMap", { n: coverage.off_map_count })}` : ""}
        </p>
      </div>
    </aside>
  );
}
