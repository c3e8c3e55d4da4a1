// Who else is in the air and comes near this drone; who that is is neither asked nor known.
import { distance, duration, measure } from "../format/figures";
import type { TextKey } from "../i18n/zh";
import { live } from "../live/live";
import { useText } from "../state/useText";

const SHOWN = 4;

export function TrafficSection({ unitId }: { unitId: number }) {
  const t = useText();
  const near = live.flights.hazards
    .flatMap((hazard) =>
      hazard.approaches.filter((approach) => approach.unit_id === unitId).map((approach) => ({ hazard, approach })),
    )
    .sort((a, b) => a.approach.distance_m - b.approach.distance_m);
  if (!near.length) return null;
  return (
    <div className="sec" data-testid="flight-traffic">
      <div className="h">{t("flight.traffic")}</div>
      <ul className="linkways">
        {near.slice(0, SHOWN).map(({ hazard, approach }) => (
          <li key={hazard.hazard_id} className={`f13 ${approach.is_near ? "c-alarm" : "t2"}`}>
            {t("flight.hazardNear", {
              source: t(`flight.source.${hazard.source}` as TextKey),
              time: duration(approach.in_s * 1000),
              distance: distance(approach.distance_m),
            })}
            {approach.height_apart_m === null
              ? null
              : ` · ${t("flight.hazardHeight", { height: measure(approach.height_apart_m, "m") })}`}
          </li>
        ))}
      </ul>
    </div>
  );
}
