// Parts of the inspector that a vehicle's own words fill: its mode, its mission, its last status text.
import { age, UNKNOWN_FIGURE } from "../format/figures";
import { missionOf, toneOf } from "../format/status";
import type { TextKey } from "../i18n/zh";
import { useText } from "../state/useText";
import type { StatusView, UnitMeta } from "../wire.generated";

interface Shown {
  readonly meta: UnitMeta;
  readonly status: StatusView | null;
}

/** The flight mode by the firmware's own name; units that fly nothing and never said one show none. */
export function ModeBadge({ meta, status }: Shown) {
  const t = useText();
  if (meta.kind !== "drone" && !status?.mode) return null;
  return (
    <span
      className={`badge mode ${status?.mode ? "acc" : ""}`}
      data-testid="reading-mode-name"
      title={t("inspector.flightMode")}
    >
      <span className="unseen">{t("inspector.flightMode")} </span>
      <span className="ell">{status?.mode || UNKNOWN_FIGURE}</span>
    </span>
  );
}

/** How far the mission is: a segment a waypoint, or a bar for a long one. */
export function MissionSection({ meta, status }: Shown) {
  const t = useText();
  const mission = missionOf(status);
  if (meta.kind !== "drone" && !mission) return null;
  return (
    <div className="sec" data-testid="mission">
      <div className={mission ? "h" : "h bare"}>
        {t("inspector.mission")}
        <span className="sp" />
        <span className="num t2">{mission ? `${mission.item} / ${mission.total}` : UNKNOWN_FIGURE}</span>
      </div>
      {mission === null ? null : mission.segments === null ? (
        <div className="bar">
          <i className="acc" style={{ width: `${mission.share * 100}%` }} />
        </div>
      ) : (
        <div className="segments" aria-hidden="true">
          {mission.segments.map((segment, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a waypoint is its number
            <i key={index} className={segment} />
          ))}
        </div>
      )}
    </div>
  );
}

/** The last line that the vehicle said, tinted by its severity, with its age. */
export function StatusTextSection({ meta, status, nowMs }: Shown & { nowMs: number }) {
  const t = useText();
  const said = status?.text ?? null;
  if (meta.kind !== "drone" && said === null) return null;
  const level = status?.text_level ?? null;
  const tone = toneOf(level);
  const ageMs = status?.text_at_ms == null ? null : Math.max(0, nowMs - status.text_at_ms);
  return (
    <div className="sec" data-testid="status-text" data-tone={tone}>
      <div className={said === null ? "h bare" : "h"}>
        {t("inspector.statusText")}
        {level === null ? null : <span className={`badge ${tone}`}>{t(`severity.${level}` as TextKey)}</span>}
        <span className="sp" />
        <span className="num t2">{said === null ? UNKNOWN_FIGURE : t("inspector.ago", { age: age(ageMs, t) })}</span>
      </div>
      {said === null ? null : <p className={`f13 said ${tone ? `c-${tone}` : "t2"}`}>{said || UNKNOWN_FIGURE}</p>}
    </div>
  );
}
