// The what-if's changes and what they come to, beside what is real now; everything can be done without a mouse.
import { useState } from "react";
import { distance, figure, percent, UNKNOWN_FIGURE } from "../format/figures";
import { nameIn } from "../i18n/text";
import { currentMap } from "../map/current";
import { usePlaces } from "../state/places";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import {
  closeBridge,
  movedStations,
  nudgeStation,
  openBridge,
  putBack,
  STEP_M,
  toggleAway,
  useWhatIf,
} from "../state/whatIf";
import type { CoverageChanged } from "../wire.generated";
import { toggleWhatIf } from "./acts";
import { useUnitName } from "./names";

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [0, STEP_M],
  ArrowRight: [STEP_M, 0],
  ArrowDown: [0, -STEP_M],
  ArrowLeft: [-STEP_M, 0],
};
const FASTER = 10;
const DEGREE_M = 111_320;

const openLinks = (coverage: CoverageChanged): number | null =>
  coverage.ring?.links.filter((link) => !link.closed).length ?? null;

function Line({
  name,
  before,
  after,
  digits,
  worseWhenMore = false,
}: {
  name: string;
  before: string;
  after: string;
  digits: number | null;
  worseWhenMore?: boolean;
}) {
  const worse = digits !== null && digits !== 0 && digits > 0 === worseWhenMore;
  const signed =
    digits === null
      ? UNKNOWN_FIGURE
      : digits === 0
        ? "±0"
        : `${digits > 0 ? "+" : "−"}${figure(Math.abs(digits), Number.isInteger(digits) ? 0 : 1)}`;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="num r t2">{before}</td>
      <td className="num r">{after}</td>
      <td className={`num r ${worse ? "c-attn" : ""}`}>{signed}</td>
    </tr>
  );
}

function Figures({ before, after }: { before: CoverageChanged; after: CoverageChanged }) {
  const t = useText();
  const points = (i: number): number | null => {
    const [a, b] = [before.shares[i], after.shares[i]];
    return a === undefined || b === undefined ? null : (Math.round(b * 1000) - Math.round(a * 1000)) / 10;
  };
  const [linksBefore, linksAfter] = [openLinks(before), openLinks(after)];
  return (
    <table className="figures" data-testid="whatif-figures">
      <thead>
        <tr>
          <th />
          <th className="r">{t("whatIf.before")}</th>
          <th className="r">{t("whatIf.after")}</th>
          <th className="r">{t("whatIf.change")}</th>
        </tr>
      </thead>
      <tbody>
        {[1, 3, 5].map((n, i) => (
          <Line
            key={n}
            name={t("whatIf.minutes", { n })}
            before={`${percent(before.shares[i])} %`}
            after={`${percent(after.shares[i])} %`}
            digits={points(i)}
          />
        ))}
        <Line
          name={t("whatIf.gaps")}
          before={figure(before.gaps.length)}
          after={figure(after.gaps.length)}
          digits={after.gaps.length - before.gaps.length}
          worseWhenMore
        />
        <Line
          name={t("whatIf.ring")}
          before={figure(linksBefore)}
          after={figure(linksAfter)}
          digits={linksBefore === null || linksAfter === null ? null : linksAfter - linksBefore}
          worseWhenMore
        />
      </tbody>
    </table>
  );
}

/** Choose a station, then move it by arrow keys: the keyboard's way of dragging. */
function MoveByKeys() {
  const { stations } = usePlaces();
  const { language } = useSettings();
  const t = useText();
  const [chosenId, setChosenId] = useState<number | null>(null);
  const chosen = stations.find((each) => each.station_id === chosenId) ?? stations[0];
  return (
    <div className="form">
      <label>
        {t("whatIf.stations")}
        <select
          className="field"
          value={chosen?.station_id ?? ""}
          data-testid="whatif-station"
          onChange={(event) => setChosenId(Number(event.target.value))}
        >
          {stations.map((station) => (
            <option key={station.station_id} value={station.station_id}>
              {String(station.number).padStart(2, "0")} {nameIn(language, station)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="btn arrows"
        data-testid="whatif-arrows"
        onKeyDown={(event) => {
          const step = STEPS[event.key];
          if (!step || !chosen) return;
          event.preventDefault();
          event.stopPropagation();
          const by = event.shiftKey ? FASTER : 1;
          nudgeStation(chosen, step[0] * by, step[1] * by);
        }}
      >
        <span className="kbd">↑</span>
        <span className="kbd">↓</span>
        <span className="kbd">←</span>
        <span className="kbd">→</span>
        <span className="f12 t3 ell">{t("whatIf.stationHint")}</span>
      </button>
    </div>
  );
}

function TakeAway() {
  const { units } = useLive();
  const t = useText();
  const [word, setWord] = useState("");
  const options = [...units.values()].filter((unit) => unit.kind !== "drone");
  const hit = options.find((unit) =>
    [unit.call_sign, unit.name_zh, unit.name_en].some((name) => name.toLowerCase() === word.trim().toLowerCase()),
  );
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!hit) return;
        toggleAway(hit.unit_id);
        setWord("");
      }}
    >
      <label>
        {t("whatIf.away")}
        <span className="row">
          <input
            className="field"
            list="whatif-units"
            value={word}
            placeholder={t("whatIf.awayHint")}
            data-testid="whatif-unit"
            onChange={(event) => setWord(event.target.value)}
          />
          <button type="submit" className="btn" disabled={!hit} data-testid="whatif-away">
            −
          </button>
        </span>
      </label>
      <datalist id="whatif-units">
        {options.map((unit) => (
          <option key={unit.unit_id} value={unit.call_sign} />
        ))}
      </datalist>
    </form>
  );
}

function Changed({ text, onBack }: { text: string; onBack: () => void }) {
  const t = useText();
  return (
    <li className="row">
      <span className="ell f13 num">{text}</span>
      <span className="sp" />
      <button type="button" className="btn s ghost" onClick={onBack}>
        {t("whatIf.back")}
      </button>
    </li>
  );
}

export function WhatIfPanel() {
  const { reply, asking, error, closed, awayIds, moved } = useWhatIf();
  const { language } = useSettings();
  const nameOf = useUnitName();
  const t = useText();
  const apart = ({ station, lon, lat }: ReturnType<typeof movedStations>[number]): number =>
    Math.hypot(
      (lat - station.lat_deg) * DEGREE_M,
      (lon - station.lon_deg) * DEGREE_M * Math.cos((lat * Math.PI) / 180),
    );
  const closedName = (
    place: { lat: number; lon: number },
    told?: { name_zh: string; name_en: string; length_km: number },
  ): string =>
    told && nameIn(language, told)
      ? `${nameIn(language, told)} ${distance(told.length_km * 1000)}`
      : `${place.lat.toFixed(4)}, ${place.lon.toFixed(4)}`;
  const nothing = moved.length + closed.length + awayIds.length === 0;
  return (
    <aside
      className="panel incident whatif"
      aria-label={t("whatIf.title")}
      data-testid="whatif-panel"
      id="incident"
      tabIndex={-1}
    >
      <div className="scrolls">
        <div className="sec">
          <div className="row">
            <span className="badge acc">{t("whatIf.title")}</span>
            <span className="sp" />
            <button type="button" className="btn s ghost" onClick={toggleWhatIf}>
              {t("whatIf.leave")} <span className="kbd">Esc</span>
            </button>
          </div>
          <p className="t2 f13 hint">{t("whatIf.on")}</p>
          <p className="t3 f13">{t("whatIf.hint")}</p>
        </div>
        <div className="sec" aria-busy={asking}>
          {reply ? <Figures before={reply.before.coverage} after={reply.after.coverage} /> : null}
          {reply ? (
            <p className="f12 t2 num">
              {t("whatIf.roads", { lost: figure(reply.lost_km, 1), won: figure(reply.won_km, 1) })}
            </p>
          ) : null}
          {asking ? <p className="f13 t3">{t("whatIf.asking")}</p> : null}
          {error ? (
            <p className="f13 c-alarm" role="alert">
              {t("whatIf.failed", { why: error.detail || t(error.key, error.figures) })}
            </p>
          ) : null}
          {nothing ? <p className="f13 t3">{t("whatIf.nothing")}</p> : null}
          <ul className="changes" data-testid="whatif-changes">
            {movedStations().map((each) => (
              <Changed
                key={each.station.station_id}
                text={t("whatIf.moved", {
                  station: `${String(each.station.number).padStart(2, "0")} ${nameIn(language, each.station)}`,
                  distance: distance(apart(each)),
                })}
                onBack={() => putBack(each.station.station_id)}
              />
            ))}
            {closed.map((place, i) => (
              <Changed
                key={`${place.lon} ${place.lat}`}
                text={t("whatIf.closed", { n: closedName(place, reply?.closed[i]) })}
                onBack={() => openBridge(i)}
              />
            ))}
            {awayIds.map((unitId) => (
              <Changed key={unitId} text={`− ${nameOf(unitId)}`} onBack={() => toggleAway(unitId)} />
            ))}
          </ul>
        </div>
        <div className="sec">
          <MoveByKeys />
          <TakeAway />
          <button
            type="button"
            className="btn s ghost"
            data-testid="whatif-close-here"
            onClick={() => {
              const middle = currentMap()?.camera.middle();
              if (middle) closeBridge(middle);
            }}
          >
            {t("whatIf.closeHere")}
          </button>
        </div>
      </div>
    </aside>
  );
}
