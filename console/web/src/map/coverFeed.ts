// Coverage, gaps and ring as the map's sources, rebuilt only when what they show is another.
import { get, RequestError } from "../api/client";
import { live } from "../live/live";
import { getDesk } from "../state/desk";
import { getPlaces } from "../state/places";
import type { CoverView } from "../state/settings";
import { imagined } from "../state/whatIf";
import type { Gap } from "../wire.generated";
import { groundLess } from "./strips";

export const FEEDS = ["now", "gaps", "ring", "change"] as const;
export type FeedName = (typeof FEEDS)[number];
type Geometry = { type: "Polygon" | "LineString"; coordinates: unknown };
interface Feature {
  readonly type: "Feature";
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  readonly geometry: Geometry;
}
export interface Features {
  readonly type: "FeatureCollection";
  readonly features: readonly Feature[];
}
type Polygon = number[][][];

const NOTHING: Features = { type: "FeatureCollection", features: [] };
/** Height of a strip of changed ground: about a pixel where the whole city is in view. */
const STRIP_M = 18;
const MINUTES = [1, 3, 5] as const;

const polygon = (coordinates: unknown, properties: Feature["properties"]): Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "Polygon", coordinates },
});

export const gapsShown = (): readonly Gap[] => imagined()?.gaps ?? live.summary.get().coverage?.gaps ?? [];
export const ringShown = () => imagined()?.ring ?? live.summary.get().coverage?.ring ?? null;

function nowFeatures(): Features {
  const other = imagined();
  const reached = (minutes: number): Polygon[] =>
    other
      ? other.contours.filter((each) => each.minutes === minutes).map((each) => each.polygon)
      : live.contours.within(minutes);
  return {
    type: "FeatureCollection",
    features: MINUTES.flatMap((minutes) => reached(minutes).map((rings) => polygon(rings, { minutes }))),
  };
}

function gapFeatures(): Features {
  const { gapLabel } = getDesk();
  return {
    type: "FeatureCollection",
    features: gapsShown().map((gap) => polygon(gap.polygon, { label: gap.label, chosen: gap.label === gapLabel })),
  };
}

function ringFeatures(): Features {
  const places = new Map(getPlaces().stations.map((each) => [each.station_id, [each.lon_deg, each.lat_deg]]));
  const { ways } = getDesk();
  const features = (ringShown()?.links ?? []).flatMap((link): Feature[] => {
    const way = ways.find(
      (each) => each.from_station_id === link.from_station_id && each.to_station_id === link.to_station_id,
    );
    const ends = [places.get(link.from_station_id), places.get(link.to_station_id)];
    const path = way?.path ?? (ends[0] && ends[1] ? ends : []);
    if (path.length < 2) return [];
    return [
      { type: "Feature", properties: { closed: link.closed }, geometry: { type: "LineString", coordinates: path } },
    ];
  });
  return { type: "FeatureCollection", features };
}

interface Planned {
  readonly features: readonly {
    readonly properties: { readonly station_id?: number | null; readonly minutes: number };
    readonly geometry: { readonly type: string; readonly coordinates: unknown };
  }[];
}

/** Polygons of the plan within 3 minutes, of the whole force. */
function plannedPolygons(planned: Planned): Polygon[] {
  return planned.features
    .filter(({ properties }) => properties.minutes === 3 && !properties.station_id)
    .flatMap(({ geometry }) =>
      geometry.type === "Polygon" ? [geometry.coordinates as Polygon] : (geometry.coordinates as Polygon[]),
    );
}

/** Holds what the sources show now. `refresh` tells which are another than before. */
export class CoverFeed {
  readonly shown: Record<FeedName, Features> = { now: NOTHING, gaps: NOTHING, ring: NOTHING, change: NOTHING };
  private seen: Record<FeedName, unknown> = { now: null, gaps: null, ring: null, change: null };
  private planned: Polygon[] | null = null;
  private asking = false;

  constructor(private readonly onPlanned: () => void) {}

  refresh(view: CoverView): FeedName[] {
    const changed: FeedName[] = [];
    const take = (name: FeedName, key: unknown, build: () => Features): void => {
      if (this.seen[name] === key) return;
      this.seen[name] = key;
      this.shown[name] = build();
      changed.push(name);
    };
    const contours = imagined() ?? live.contours.version;
    take("now", contours, nowFeatures);
    take("gaps", JSON.stringify(gapsShown()) + getDesk().gapLabel, gapFeatures);
    take("ring", this.ringKey(), ringFeatures);
    if (view === "change") this.askPlanned();
    if (view === "change" && this.planned) take("change", contours, () => this.changeFeatures());
    return changed;
  }

  private ringKey(): string {
    const closed =
      ringShown()
        ?.links.map((link) => Number(link.closed))
        .join("") ?? "";
    return `${closed} ${getDesk().ways.length} ${getPlaces().stations.length}`;
  }

  private changeFeatures(): Features {
    const now = nowFeatures()
      .features.filter((each) => each.properties.minutes === 3)
      .map((each) => each.geometry.coordinates as Polygon);
    const plan = this.planned ?? [];
    const strips = (mine: Polygon[], others: Polygon[], what: string): Feature[] =>
      groundLess(mine, others, STRIP_M).map((ring) => polygon([ring], { what }));
    return {
      type: "FeatureCollection",
      features: [...strips(now, plan, "gained"), ...strips(plan, now, "lost")],
    };
  }

  private askPlanned(): void {
    if (this.planned || this.asking) return;
    this.asking = true;
    get<Planned>("/api/coverage/planned").then(
      (planned) => {
        this.planned = plannedPolygons(planned);
        this.onPlanned();
      },
      (error: unknown) => {
        this.asking = false;
        if (!(error instanceof RequestError)) throw error;
      },
    );
  }
}
