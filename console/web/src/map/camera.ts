// Where the map looks: at a place, near enough; a phone's sheet covers the lower part, and who wants no motion gets none.
import type { LngLatBoundsLike, Map as MapLibre, PaddingOptions } from "maplibre-gl";
import type { LonLat } from "../state/desk";
import { Projection } from "./projection";

const FLY_MS = 240;
const FIRST_ZOOM_IN = 1.35;
const FIRST_ZOOM_LEAST = 12.6;
const STATION_ZOOM = 13.4;

export class Camera {
  readonly stillMotion = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  /** Whether somebody has moved the map since it was shown. */
  wasMoved = false;

  constructor(private readonly map: MapLibre) {}

  /** Begin near the middle of the city. */
  begin(center: [number, number]): void {
    const zoom = Math.max(FIRST_ZOOM_LEAST, this.map.getZoom() + FIRST_ZOOM_IN);
    this.map.easeTo({ center, zoom, offset: this.offset(), duration: 0 });
  }

  /** Where the middle is. */
  offset(): [number, number] {
    const sheet = document.querySelector<HTMLElement>(".sheet");
    return [0, sheet ? -sheet.offsetHeight / 2 : 0];
  }

  go(center: [number, number], zoom: number): void {
    this.wasMoved = true;
    this.map.easeTo({ center, zoom, offset: this.offset(), duration: this.stillMotion.matches ? 0 : FLY_MS });
  }

  /** Keep a place in the middle, at once. */
  hold(center: [number, number]): void {
    this.map.easeTo({ center, offset: this.offset(), duration: 0 });
  }

  /** Bring a place into view if it is not there; the zoom stays. */
  show(place: [number, number]): void {
    const projection = this.projection();
    const [x, y] = [projection.x(place[0]), projection.y(place[1])];
    if (!projection.contains(x, y, -80)) this.go(place, this.map.getZoom());
  }

  /** Bring a place to the middle, near enough to see a station's zone. */
  near(place: [number, number]): void {
    this.go(place, Math.max(this.map.getZoom(), STATION_ZOOM));
  }

  /** The place in the middle of the view. */
  middle(): LonLat {
    const { lng, lat } = this.map.getCenter();
    return { lon: lng, lat };
  }

  zoomBy(steps: number): void {
    this.map.zoomTo(this.map.getZoom() + steps, { duration: this.stillMotion.matches ? 0 : FLY_MS });
  }

  /** Show all of some bounds within the free room of the view. */
  fit(bounds: LngLatBoundsLike, { padding, isStill }: { padding: PaddingOptions; isStill: boolean }): void {
    const still = isStill || this.stillMotion.matches;
    this.map.fitBounds(bounds, { padding, animate: !still, duration: still ? 0 : FLY_MS });
  }

  projection(): Projection {
    const { lng, lat } = this.map.getCenter();
    const { clientWidth, clientHeight } = this.map.getContainer();
    return new Projection({ lon: lng, lat, zoom: this.map.getZoom(), width: clientWidth, height: clientHeight });
  }
}
