// The contours of what is reached now, kept from messages that name only what came and went.
import type { Contour, ContoursChanged } from "../wire.generated";

/** Contours by id. `version` counts changes, so that the map knows when to draw them anew. */
export class ContourBook {
  private contours = new Map<string, Contour>();
  version = 0;
  atMs: number | null = null;

  /** Take what changed; a message with `reset` begins anew. */
  take(message: ContoursChanged): void {
    if (message.reset) this.contours.clear();
    for (const id of message.gone) this.contours.delete(id);
    for (const contour of message.added) this.contours.set(contour.contour_id, contour);
    this.atMs = message.at_ms;
    this.version++;
  }

  /** Forget all: the server started anew. */
  restart(): void {
    this.contours.clear();
    this.atMs = null;
    this.version++;
  }

  /** All contours, in no order. */
  all(): Contour[] {
    return [...this.contours.values()];
  }

  /** The polygons of what is reached within so many minutes: each a list of rings of [lon, lat]. */
  within(minutes: number): number[][][][] {
    return this.all()
      .filter((contour) => contour.minutes === minutes)
      .map((contour) => contour.polygon);
  }
}
