// Flights as the websocket tells them: who controls each drone, its orders and its sortie, and who else is in the air.
import type { FlightView, HazardView } from "../wire.generated";

export class FlightBook {
  version = 0;
  hazards: readonly HazardView[] = [];
  private flights = new Map<number, FlightView>();

  /** Take a drone's flight as it stands; a later one replaces it. */
  put(flight: FlightView): void {
    this.flights.set(flight.unit_id, flight);
    this.version++;
  }

  /** Take all hazards that are known; what is not among them is gone. */
  putHazards(hazards: readonly HazardView[]): void {
    this.hazards = hazards;
    this.version++;
  }

  of(unitId: number): FlightView | null {
    return this.flights.get(unitId) ?? null;
  }

  /** Forget all: the server started anew. */
  restart(): void {
    this.flights.clear();
    this.hazards = [];
    this.version++;
  }
}
