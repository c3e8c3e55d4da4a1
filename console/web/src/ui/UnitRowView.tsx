// One row of the unit list: shape of its kind, name, station and state, and at the end what matters most.
import { age, duration, THIN_SPACE } from "../format/figures";
import { nameIn } from "../i18n/text";
import { selectUnit } from "../state/actions";
import type { UnitRow } from "../state/rows";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { UnitGlyph } from "./icons";

const LOW_BATTERY_PCT = 25;

function Battery({ pct, selected }: { pct: number; selected: boolean }) {
  const tone = pct < LOW_BATTERY_PCT ? "attn" : selected ? "acc" : "";
  return (
    <>
      {pct}
      {THIN_SPACE}%
      <div className="bar">
        <i className={tone} style={{ width: `${pct}%` }} />
      </div>
    </>
  );
}

function End({ row, selected, sosSinceMs }: { row: UnitRow; selected: boolean; sosSinceMs: number | null }) {
  const t = useText();
  if (row.sos) return <span className="badge solid">SOS {sosSinceMs === null ? "" : duration(sosSinceMs)}</span>;
  if (row.freshness === "stale")
    return (
      <span
        className={`badge ${row.meta.kind === "drone" ? "attn" : "line"}`}
      >{`${t("fresh.stale")} ${age(row.ageMs, t)}`}</span>
    );
  if (row.freshness === "lost") return <span className="badge line">{`${t("fresh.lost")} ${age(row.ageMs, t)}`}</span>;
  if (row.freshness === "never") return <span className="t3 f12">{t("fresh.never")}</span>;
  if (row.replayed) return <span className="badge line">{t("state.replayed")}</span>;
  if (row.meta.kind === "drone" && row.batteryPct !== null) return <Battery pct={row.batteryPct} selected={selected} />;
  return <span className="t3 f12 num">{age(row.ageMs, t)}</span>;
}

export interface UnitRowProps {
  readonly row: UnitRow;
  readonly top: number;
  readonly height: number;
  readonly index: number;
  readonly sosSinceMs: number | null;
}

export function UnitRowView({ row, top, height, index, sosSinceMs }: UnitRowProps) {
  const { selectedId, cursorId, language } = useSettings();
  const t = useText();
  const selected = row.unitId === selectedId;
  const live = row.freshness === "live" || row.freshness === "stale";
  const duty =
    row.airborne && row.freshness === "live"
      ? `${t(`duty.${row.duty}`)} · ${t("inspector.airborne")}`
      : t(`duty.${row.duty}`);
  const place = row.station ? t("station.label", { name: nameIn(language, row.station) }) : t(`kind.${row.meta.kind}`);
  const silent = row.freshness === "live" ? "" : ` · ${t(`fresh.${row.freshness}`)} ${age(row.ageMs, t)}`;
  const sosText = `${t("state.sos")}${silent}`;
  return (
    <div
      id={`unit-${row.unitId}`}
      role="row"
      aria-rowindex={index}
      aria-selected={selected}
      tabIndex={-1}
      data-testid="unit-row"
      data-unit-id={row.unitId}
      data-kind={row.meta.kind}
      data-freshness={row.freshness}
      className={`li ${selected ? "sel" : ""} ${row.unitId === cursorId ? "cur" : ""} ${live ? "" : "dimmed"}`}
      style={{ top, height }}
      onClick={() => selectUnit(row.unitId)}
      onKeyDown={(event) => {
        if (event.key === "Enter") selectUnit(row.unitId);
      }}
    >
      <span role="gridcell" tabIndex={-1} title={t(`kind.${row.meta.kind}`)} aria-label={t(`kind.${row.meta.kind}`)}>
        <UnitGlyph name={row.meta.kind} />
      </span>
      <div role="gridcell" tabIndex={-1} style={{ minWidth: 0 }}>
        <div className="a ell">{row.name}</div>
        <div className="b ell">
          {place} · {row.sos ? sosText : duty}
        </div>
      </div>
      <div role="gridcell" tabIndex={-1} className="end num">
        <End row={row} selected={selected} sosSinceMs={sosSinceMs} />
      </div>
    </div>
  );
}
