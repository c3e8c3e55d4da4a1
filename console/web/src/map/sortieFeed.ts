// The way of the selected drone's sortie, read again whenever it is given another one.
import { get, RequestError } from "../api/client";
import { live } from "../live/live";
import type { SortieReply } from "../wire.generated";
import type { ShownSortie } from "./flightLayers";

export class SortieFeed {
  shown: ShownSortie | null = null;
  private key = "";

  constructor(private readonly onChange: () => void) {}

  /** Show the sortie of this unit from now on; null: none. */
  follow(unitId: number | null): void {
    const sortie = unitId === null ? null : (live.flights.of(unitId)?.sortie ?? null);
    const key = sortie === null ? "" : `${unitId} ${sortie.plan_id} ${sortie.sortie_id} ${sortie.waypoint_count}`;
    if (key === this.key) return;
    this.key = key;
    if (unitId === null || sortie === null) this.show(null);
    else void this.read(unitId, key);
  }

  private async read(unitId: number, key: string): Promise<void> {
    try {
      const { sortie } = await get<SortieReply>(`/api/flights/${unitId}/sortie`);
      if (key !== this.key) return;
      const waypoints = (sortie?.waypoints ?? []).map((point) => ({
        lon: point.lon_deg,
        lat: point.lat_deg,
        isTransit: point.task_id === null,
      }));
      this.show({ unitId, waypoints });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (key === this.key) this.show(null);
    }
  }

  private show(sortie: ShownSortie | null): void {
    this.shown = sortie;
    this.onChange();
  }
}
