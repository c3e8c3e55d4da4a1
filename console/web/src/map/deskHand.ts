// What a hand does on the supervisor's map: pick a place, open an incident, and in the what-if close a bridge or drag a station.
import type { Map as MapLibre, MapMouseEvent } from "maplibre-gl";
import { changeDesk, getDesk, type LonLat } from "../state/desk";
import { openIncident } from "../state/incidents";
import { closeBridge, getWhatIf, moveStation, movedStations } from "../state/whatIf";
import { pinAt } from "./deskSketch";
import type { Overlay } from "./overlay";
import { nearestStation } from "./picking";
import type { Projection } from "./projection";

const BRIDGE_REACH_PX = 14;
const BRIDGE_NAMES = "label-bridge";

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
    if (incidentId !== null && isSupervising) {
      openIncident(incidentId);
      return true;
    }
    const bridge = isSupervising && getWhatIf().on ? this.bridgeAt(point.x, point.y) : undefined;
    if (bridge) closeBridge(bridge);
    return bridge !== undefined;
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

  /** The bridge whose name is within a few pixels. */
  private bridgeAt(x: number, y: number): LonLat | undefined {
    if (!this.map.getLayer(BRIDGE_NAMES)) return undefined;
    const around: [[number, number], [number, number]] = [
      [x - BRIDGE_REACH_PX, y - BRIDGE_REACH_PX],
      [x + BRIDGE_REACH_PX, y + BRIDGE_REACH_PX],
    ];
    const [hit] = this.map.queryRenderedFeatures(around, { layers: [BRIDGE_NAMES] });
    if (hit?.geometry.type !== "Point") return undefined;
    return { lon: hit.geometry.coordinates[0]!, lat: hit.geometry.coordinates[1]! };
  }
}
