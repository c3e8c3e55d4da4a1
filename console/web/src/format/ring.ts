// Why a link of the ring is open: how much later than allowed the later of two stations comes, or that nobody comes at all.
import type { Translate } from "../i18n/text";
import type { RingLink, StationShares } from "../wire.generated";
import { duration } from "./figures";

type Ends = Pick<RingLink, "from_station_id" | "to_station_id" | "missing_s">;
type Crew = Pick<StationShares, "station_id" | "on_duty">;

/** Words for an open link; where nobody comes, the one of its two stations that has nobody on duty is named. */
export function whyOpen(
  link: Ends,
  crews: readonly Crew[],
  numberOf: (stationId: number) => string,
  t: Translate,
): string {
  if (link.missing_s !== null) return t("ring.missing", { missing: duration(link.missing_s * 1000) });
  const empty = [link.from_station_id, link.to_station_id].filter((id) =>
    crews.some((crew) => crew.station_id === id && crew.on_duty === 0),
  );
  return empty.length === 1 ? t("ring.nobodyFrom", { station: numberOf(empty[0]!) }) : t("ring.nobody");
}
