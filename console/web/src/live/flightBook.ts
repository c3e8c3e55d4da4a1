// Flights as the websocket tells them: who controls each drone, its orders and its sortie, what is due, and who else is in the air.
import type { DueView, FlightView, HazardView } from "../wire.generated";

export class FlightBook {
  version = 0;
  hazards: readonly HazardView[] = [];
  private due: readonly DueView[] = [];
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

  /** Take all sorties that are due; what is not among them is due no longer. */
  putDue(sorties: readonly DueView[]): void {
    this.due = sorties;
    this.version++;
  }

  /** The sorties that are due at a drone, the earliest first. */
  dueAt(unitId: number): readonly DueView[] {
    return this.due.filter((each) => each.unit_id === unitId);
  }

  of(unitId: number): FlightView | null {
    return this.flights.get(unitId) ?? null;
  }

  /** Forget all: the server started anew. */
  restart(): void {
    this.flights.clear();
    this.hazards = [];
    this.due = [];
    this.version++;
  }
}
