// The strip below the map: zones on target, places in reach, double cover, responses of today, and cover over the last hour.
import type { ReactNode } from "react";
import { figure, percent, UNKNOWN_FIGURE } from "../format/figures";
import { onTargetOf } from "../format/incidents";
import { nameIn } from "../i18n/text";
import { currentMap } from "../map/current";
import { useDesk } from "../state/desk";
import { usePlaces } from "../state/places";
import { change, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { isOffPlan } from "./Kpis";
import { TrendChart } from "./TrendChart";
import { upToNow } from "./trendScale";

const ZONE_OFF_PLAN = 0.1;
const MOST_DOTS = 14;

function Cell({ id, name, of, children }: { id: string; name: string; of?: string; children: ReactNode }) {
  return (
    <section className="cell" data-testid={`strip-${id}`}>
      <div className="h">
        {name} {of ? <span className="t3 ell">{of}</span> : null}
      </div>
      {children}
    </section>
  );
}

function Zones() {
  const { coverage } = useLive();
  const { stations } = usePlaces();
  const { language, stationId } = useSettings();
  const t = useText();
  const shares = new Map(coverage?.stations.map((each) => [each.station_id, each]));
  const offOf = (id: number): boolean => isOffPlan(shares.get(id)?.shares[1], shares.get(id)?.plan[1], ZONE_OFF_PLAN);
  const on = stations.filter((each) => shares.has(each.station_id) && !offOf(each.station_id)).length;
  return (
    <Cell id="zones" name={t("strip.grid")} of={t("strip.gridOf")}>
      <div className="n num">
        {coverage ? on : UNKNOWN_FIGURE}
        <i>{t("strip.onTarget", { n: stations.length })}</i>
      </div>
      <div className="zones">
        {stations.map((station) => (
          <button
            key={station.station_id}
            type="button"
            className={`zone num ${offOf(station.station_id) ? "off" : ""} ${stationId === station.station_id ? "on" : ""}`}
            aria-label={`${nameIn(language, station)} ${percent(shares.get(station.station_id)?.shares[1], 0)} %`}
            title={`${nameIn(language, station)} ${percent(shares.get(station.station_id)?.shares[1], 0)} %`}
            onClick={() => {
              change({ stationId: station.station_id });
              currentMap()?.camera.near([station.lon_deg, station.lat_deg]);
            }}
          >
            {station.number}
          </button>
        ))}
      </div>
    </Cell>
  );
}

function Dots({ total, met }: { total: number; met: number }) {
  if (total > MOST_DOTS)
    return (
      <div className="bar">
        <i style={{ width: `${(met / total) * 100}%` }} />
      </div>
    );
  return (
    <span className="dots" aria-hidden="true">
      {Array.from({ length: total }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a dot is its number
        <i key={i} className={i < met ? "" : "miss"} />
      ))}
    </span>
  );
}

function Tiers() {
  const { coverage } = useLive();
  const { language } = useSettings();
  const t = useText();
  const tiers = coverage?.tiers ?? [];
  const [total, met] = [
    tiers.reduce((sum, each) => sum + each.total, 0),
    tiers.reduce((sum, each) => sum + each.met, 0),
  ];
  const misses = tiers.flatMap((each) => (language === "zh" ? each.misses_zh : each.misses_en));
  return (
    <Cell id="tiers" name={t("strip.tiers")} of={t("strip.tiersOf")}>
      <div className="n num" title={misses.length ? t("strip.misses", { names: misses.join(" · ") }) : undefined}>
        {tiers.length ? met : UNKNOWN_FIGURE}
        <i>{tiers.length ? `/ ${total}` : coverage ? t("strip.noTiers") : ""}</i>
      </div>
      <div className="tiers">
        {tiers.map((tier) => (
          <div key={tier.minutes} className="tier">
            <span className="f12 t3 num nw">{t("strip.tier", { n: tier.minutes })}</span>
            <Dots total={tier.total} met={tier.met} />
            <span className={`f12 num ${tier.met < tier.total ? "c-attn" : "t3"}`}>
              {tier.met}/{tier.total}
            </span>
          </div>
        ))}
      </div>
    </Cell>
  );
}

function Kinds() {
  const { coverage } = useLive();
  const t = useText();
  const rows: [string, number | null | undefined][] = [
    [t("strip.double"), coverage?.double_shares[1]],
    [t("strip.people"), coverage?.people_shares?.[1]],
    [t("strip.calls"), coverage?.incident_shares?.[1]],
  ];
  return (
    <Cell id="kinds" name={t("strip.tier", { n: 3 })} of={t("strip.roads")}>
      <div className="n num">
        {percent(coverage?.shares[1])}
        <i>%</i>
      </div>
      <div className="tiers named">
        {rows.map(([name, share]) => (
          <div key={name} className="tier">
            <span className="f12 t3 nw">{name}</span>
            <div className="bar">
              <i style={{ width: `${(share ?? 0) * 100}%` }} />
            </div>
            <span className="f12 num t2">{share == null ? UNKNOWN_FIGURE : `${percent(share, 0)} %`}</span>
          </div>
        ))}
      </div>
    </Cell>
  );
}

function Responses() {
  const { figures } = useDesk();
  const t = useText();
  const urgencies = figures?.by_urgency ?? [];
  const { onTarget, answered } = onTargetOf(urgencies);
  return (
    <Cell id="responses" name={t("strip.responses")} of={t("strip.responsesOf")}>
      <div className="n num">
        {answered ? onTarget : UNKNOWN_FIGURE}
        <i>{answered ? t("strip.answered", { n: answered }) : figures ? t("strip.noneAnswered") : ""}</i>
      </div>
      <div className="tiers">
        {urgencies.map((each) => (
          <div key={each.urgency} className="tier">
            <span className="f12 t3 num">{t("strip.urgency", { n: each.urgency })}</span>
            <div className="bar">
              <i style={{ width: `${(each.on_target_ratio ?? 0) * 100}%` }} />
            </div>
            <span className="f12 num t2">
              {each.on_target_ratio === null ? UNKNOWN_FIGURE : `${percent(each.on_target_ratio, 0)} %`}
            </span>
          </div>
        ))}
      </div>
    </Cell>
  );
}

export function Strip() {
  const { trend } = useDesk();
  const { coverage } = useLive();
  const t = useText();
  const now = coverage?.shares[1];
  return (
    <div className="strip" data-testid="strip">
      <Zones />
      <Tiers />
      <Kinds />
      <Responses />
      <Cell id="trend" name={t("strip.trend")} of={now === undefined ? "" : `${figure(now * 100)} %`}>
        {trend && trend.at_ms.length > 1 ? (
          <TrendChart trend={upToNow(trend, coverage)} />
        ) : (
          <p className="f13 t3">{t("strip.trendNone")}</p>
        )}
      </Cell>
    </div>
  );
}
