// Live coverage by station: which share of each station's road length available units reach within 1, 3 and 5 minutes.
import { clockTime, percent } from "../format/figures";
import { nameIn } from "../i18n/text";
import type { UnitRow } from "../state/rows";
import { usePlaces } from "../state/places";
import { change, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { StationView } from "../wire.generated";

function StationLine({
  station,
  shares,
  onDuty,
}: {
  station: StationView;
  shares: readonly number[] | undefined;
  onDuty: number;
}) {
  const { language, stationId } = useSettings();
  const on = stationId === station.station_id;
  const three = shares?.[1];
  return (
    <tr className={on ? "on" : ""} data-testid="station-row" data-station-id={station.station_id}>
      <td>
        <button
          type="button"
          className="ell"
          aria-pressed={on}
          onClick={() => change({ stationId: on ? null : station.station_id })}
        >
          <span className="t3 num">{String(station.number).padStart(2, "0")}</span> {nameIn(language, station)}
        </button>
      </td>
      <td className="r num t2">{onDuty}</td>
      <td className="r num t2">{percent(shares?.[0], 0)}</td>
      <td className="r num">{percent(three, 0)}</td>
      <td className="r num t2">{percent(shares?.[2], 0)}</td>
      <td>
        <div className="bar">
          <i className="teal" style={{ width: `${Math.round((three ?? 0) * 100)}%` }} />
        </div>
      </td>
    </tr>
  );
}

export function CoverPanel({ rows }: { rows: readonly UnitRow[] }) {
  const { coverage } = useLive();
  const { stations } = usePlaces();
  const t = useText();
  const shares = new Map(coverage?.stations.map((each) => [each.station_id, each.shares]));
  const onDuty = new Map<number, number>();
  for (const row of rows) {
    if (
      row.meta.station_id === null ||
      row.freshness === "never" ||
      row.freshness === "lost" ||
      row.duty === "off_duty"
    )
      continue;
    onDuty.set(row.meta.station_id, (onDuty.get(row.meta.station_id) ?? 0) + 1);
  }
  return (
    <aside className="panel inspector idle" aria-label={t("cover.title")} data-testid="cover-panel">
      <div className="sec">
        <div className="h">
          {t("cover.title")} <span className="t3 ell">{t("cover.hint")}</span>
        </div>
        {coverage ? (
          <table className="cover">
            <colgroup>
              <col style={{ width: "36%" }} />
              <col style={{ width: "14%" }} />
              <col style={{ width: "11%" }} />
              <col style={{ width: "11%" }} />
              <col style={{ width: "11%" }} />
              <col style={{ width: "17%" }} />
            </colgroup>
            <thead>
              <tr>
                <th>{t("cover.station")}</th>
                <th className="r">{t("cover.onDuty")}</th>
                {[1, 3, 5].map((n) => (
                  <th key={n} className="r">
                    {n}′
                  </th>
                ))}
                <th className="r">3′ %</th>
              </tr>
            </thead>
            <tbody>
              <tr data-testid="station-row-total">
                <td>
                  <b>{t("map.fit")}</b>
                </td>
                <td className="r num t2">{coverage.available_count}</td>
                {coverage.shares.map((share, i) => (
                  <td key={["1", "3", "5"][i]} className="r num">
                    {percent(share, 0)}
                  </td>
                ))}
                <td>
                  <div className="bar">
                    <i className="teal" style={{ width: `${Math.round((coverage.shares[1] ?? 0) * 100)}%` }} />
                  </div>
                </td>
              </tr>
              {stations.map((station) => (
                <StationLine
                  key={station.station_id}
                  station={station}
                  shares={shares.get(station.station_id)}
                  onDuty={onDuty.get(station.station_id) ?? 0}
                />
              ))}
            </tbody>
          </table>
        ) : (
          <p className="t3 f13">{t("cover.waiting")}</p>
        )}
        {coverage ? (
          <p className="f12 t3" style={{ marginTop: 10 }}>
            {t("kpi.available", { n: coverage.available_count })} ·{" "}
            {t("cover.asOf", { time: clockTime(coverage.at_ms) })}
          </p>
        ) : null}
      </div>
      <p className="sentence">{t("cover.pickUnit")}</p>
    </aside>
  );
}
