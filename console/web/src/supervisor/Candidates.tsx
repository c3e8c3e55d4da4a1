// Who could go: on the ground by arrival, then in the air; each with its key and what its leaving uncovers.
import { distance, duration, percent, shift, UNKNOWN_FIGURE } from "../format/figures";
import type { TextKey } from "../i18n/zh";
import { useDesk } from "../state/desk";
import { toggleCandidate } from "../state/incidents";
import { mayDispatch } from "../state/roles";
import { useText } from "../state/useText";
import { UnitGlyph } from "../ui/icons";
import type { CandidateView, IncidentView } from "../wire.generated";
import { keyed, sentTo } from "./keyed";
import { useStationNumber, useUnitMeta, useUnitName } from "./names";

function Cost({ unit }: { unit: CandidateView }) {
  const numberOf = useStationNumber();
  const t = useText();
  const parts: { text: string; tone: string }[] = [];
  for (const why of unit.unsuited) {
    const what = unit.lacks.map((need) => t(`equipment.${need}`)).join(" · ");
    const text = why === "equipment" ? t("cand.lacks", { what: what || UNKNOWN_FIGURE }) : t(`unsuited.${why}`);
    parts.push({ text, tone: "c-attn" });
  }
  if (unit.in_air) {
    if (unit.battery_ratio !== null)
      parts.push({
        text: t("cand.battery", { percent: percent(unit.battery_ratio, 0) }),
        tone: unit.battery_ratio < 0.3 ? "c-attn" : "",
      });
    if (unit.turnout_s > 0) parts.push({ text: t("cand.launch", { seconds: Math.round(unit.turnout_s) }), tone: "" });
  } else {
    parts.push({
      text:
        unit.cover_change_ratio === null
          ? t("cand.unknown")
          : t("cand.ifSent", { points: shift(unit.cover_change_ratio) }),
      tone: "",
    });
    const [from, to] = unit.opens_ring ?? [];
    if (unit.opens_gap !== null) parts.push({ text: t("cand.opensGap", { label: unit.opens_gap }), tone: "c-attn" });
    if (from !== undefined && to !== undefined)
      parts.push({ text: t("cand.opensRing", { from: numberOf(from), to: numberOf(to) }), tone: "c-attn" });
    if (unit.opens_gap === null && unit.opens_ring === null && unit.cover_change_ratio !== null)
      parts.push({ text: t("cand.noGap"), tone: "" });
  }
  return (
    <div className="cost t2 num">
      {parts.map(({ text, tone }, i) => (
        <span key={text}>
          {i ? " · " : ""}
          <span className={tone}>{text}</span>
        </span>
      ))}
    </div>
  );
}

function Candidate({ unit, hotkey }: { unit: CandidateView; hotkey: number | null }) {
  const { chosenIds, role } = useDesk();
  const nameOf = useUnitName();
  const metaOf = useUnitMeta();
  const t = useText();
  const on = chosenIds.includes(unit.unit_id);
  const meta = metaOf(unit.unit_id);
  return (
    <button
      type="button"
      className={`cand ${on ? "on" : ""}`}
      aria-pressed={on}
      disabled={!mayDispatch(role)}
      data-testid="candidate"
      data-unit-id={unit.unit_id}
      data-advised={unit.advised}
      onClick={() => toggleCandidate(unit.unit_id)}
    >
      <UnitGlyph name={meta?.kind ?? (unit.in_air ? "drone" : "car")} />
      <span className="who">
        <span className="row">
          <b className="ell">{nameOf(unit.unit_id)}</b>
          {hotkey === null ? null : <span className="kbd">{hotkey}</span>}
          {unit.advised ? <span className="badge acc">{t("cand.advised")}</span> : null}
        </span>
        <Cost unit={unit} />
      </span>
      <span className="when num">
        <span className="tm">{duration((unit.travel_s + unit.turnout_s) * 1000)}</span>
        <span className="f12 t3">{distance(unit.distance_m)}</span>
      </span>
    </button>
  );
}

export function Candidates({ incident }: { incident: IncidentView }) {
  const { candidates, candidatesOf } = useDesk();
  const t = useText();
  if (!candidates || candidatesOf !== incident.incident_id) return <p className="sentence">{t("cand.waiting")}</p>;
  const told: [TextKey, number][] = [
    ["cand.offMap", candidates.off_map_count],
    ["cand.unlocated", candidates.unlocated_unit_ids.length],
  ];
  const left = told.filter(([, n]) => n > 0);
  const { ground, air } = keyed(candidates, sentTo(incident));
  return (
    <div data-testid="candidates">
      <div className="candhead">
        <b>{t("cand.ground")}</b>
        <span className="sp" />
        <span className="t3 f12">{t("cand.groundHint")}</span>
      </div>
      {ground.map((unit, i) => (
        <Candidate key={unit.unit_id} unit={unit} hotkey={i + 1} />
      ))}
      {ground.length ? null : <p className="sentence bordered">{t("cand.none")}</p>}
      <div className="candhead bordered">
        <b>{t("cand.air")}</b>
        <span className="sp" />
        <span className="t3 f12">{t("cand.airHint")}</span>
      </div>
      {air.map((unit, i) => (
        <Candidate key={unit.unit_id} unit={unit} hotkey={ground.length + i + 1} />
      ))}
      {air.length ? null : <p className="sentence bordered">{t("cand.noneAir")}</p>}
      {left.map(([key, n]) => (
        <p key={key} className="f12 t3 offmap">
          {t(key, { n })}
        </p>
      ))}
      {candidates.estimated ? <p className="f12 c-attn offmap">{t("cand.estimated")}</p> : null}
    </div>
  );
}
