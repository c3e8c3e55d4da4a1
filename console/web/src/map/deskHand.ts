// What a hand does on the supervisor's map: pick a place, open an incident, and in the what-if close a bridge or drag a station.
import type { Map as MapLibre, MapMouseEvent } from "maplibre-gl";
import { live } from "../live/live";
import { changeDesk, getDesk, type LonLat } from "../state/desk";
import { openIncident } from "../state/incidents";
import { change } from "../state/settings";
import { closeBridge, getWhatIf, moveStation, movedStations, toggleAway } from "../state/whatIf";
import { pinAt } from "./deskSketch";
import type { Overlay } from "./overlay";
import { nearestStation, nearestUnit } from "./picking";
import type { Projection } from "./projection";

const ROAD_REACH_PX = 6;
const ROADS = ["road-0", "road-1", "road-2", "road-3"];

export class DeskHand {
  private dragged: number | null = null;

  constructor(
    private readonly map: MapLibre,
    private readonly overlay: Overlay,
    private readonly projection: () => Projection,
  ) {}

  /** True where the click was the desk's: a place asked for, an incident's pin, a bridge of the what-if. */
  clicked({ point, lngLat }: MapMouseEvent, isSupervising: boolean): boolean {
    if (getDesk().picking !== "none") {
      changeDesk({ picked: { lon: lngLat.lng, lat: lngLat.lat } });
      return true;
    }
    const incidentId = pinAt(this.overlay.desk, this.projection(), point.x, point.y);
    if (incidentId !== null) {
      openIncident(incidentId);
      if (!isSupervising) change({ screen: "supervisor", tab: "incidents" });
      return true;
    }
    return isSupervising && getWhatIf().on && this.imagine(point.x, point.y, { lon: lngLat.lng, lat: lngLat.lat });
  }

  /** In the what-if a click takes a unit away, or closes the road or bridge under it. */
  private imagine(x: number, y: number, place: LonLat): boolean {
    if (nearestStation(this.overlay.stations, this.projection(), x, y) !== null) return true;
    const unitId = nearestUnit(live.store, this.projection(), x, y);
    if (unitId !== null && live.store.meta.get(unitId)?.kind !== "drone") toggleAway(unitId);
    else if (this.hasRoad(x, y)) closeBridge(place);
    return true;
  }

  /** In the what-if a pressed station is dragged until it is let go. */
  pressed(event: MapMouseEvent): void {
    if (!getWhatIf().on) return;
    const moved = new Map(movedStations().map(({ station, lon, lat }) => [station.station_id, { lon, lat }]));
    const marks = this.overlay.stations.map((mark) => ({ ...mark, ...moved.get(mark.stationId) }));
    this.dragged = nearestStation(marks, this.projection(), event.point.x, event.point.y);
    if (this.dragged === null) return;
    event.preventDefault();
    let hasMoved = false;
    const follow = (each: MapMouseEvent): void => {
      hasMoved = true;
      this.dragTo(each, { isFinal: false });
    };
    this.map.on("mousemove", follow);
    this.map.once("mouseup", (each) => {
      this.map.off("mousemove", follow);
      if (hasMoved) this.dragTo(each, { isFinal: true });
      this.dragged = null;
    });
  }

  private dragTo({ lngLat }: MapMouseEvent, how: { isFinal: boolean }): void {
    if (this.dragged !== null) moveStation(this.dragged, { lon: lngLat.lng, lat: lngLat.lat }, how);
  }

  private hasRoad(x: number, y: number): boolean {
    const around: [[number, number], [number, number]] = [
      [x - ROAD_REACH_PX, y - ROAD_REACH_PX],
      [x + ROAD_REACH_PX, y + ROAD_REACH_PX],
    ];
    const layers = ROADS.filter((id) => this.map.getLayer(id));
    return this.map.queryRenderedFeatures(around, { layers }).length > 0;
  }
}
