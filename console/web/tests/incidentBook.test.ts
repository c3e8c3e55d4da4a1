// The book of incidents: what is to be sent first, news once, nothing older over what is newer.
import { describe, expect, it } from "vitest";
import { IncidentBook } from "../src/live/incidentBook";
import { incident } from "./incidents";

describe("IncidentBook", () => {
  it("tells a new incident once, however often it is replayed", () => {
    const book = new IncidentBook();
    expect(book.take(4, incident(1))?.isNew).toBe(true);
    expect(book.take(4, incident(1))).toBeNull();
    expect(book.seq).toBe(4);
  });

  it("puts what is to be sent first, then the more urgent, then the older", () => {
    const book = new IncidentBook();
    book.take(1, incident(1, { state: "under_way", urgency: 1 }));
    book.take(2, incident(2, { urgency: 3 }));
    book.take(3, incident(3, { urgency: 2, reported_ms: 9 }));
    book.take(4, incident(4, { urgency: 2, reported_ms: 5 }));
    expect(book.open().map((each) => each.incident_id)).toEqual([4, 3, 2, 1]);
  });

  it("never puts an older standing over a newer one, whichever way it came", () => {
    const book = new IncidentBook();
    book.put(incident(1, { seq: 10, title: "new" }));
    expect(book.take(9, incident(1, { seq: 9, title: "old" }))).toBeNull();
    expect(book.of(1)?.title).toBe("new");
    expect(book.seq).toBe(9);
  });

  it("takes a receipt that leaves the version as it was", () => {
    const book = new IncidentBook();
    book.take(1, incident(1, { seq: 1, version: 3, state: "offered" }));
    expect(book.take(2, incident(1, { seq: 2, version: 3, state: "accepted" }))?.before?.state).toBe("offered");
  });

  it("lets no answer to a request undo a receipt that overtook it", () => {
    const book = new IncidentBook();
    book.take(1, incident(1, { seq: 2, state: "accepted" }));
    expect(book.put(incident(1, { seq: 1, state: "offered" }))).toBeNull();
    expect(book.put(incident(1, { seq: 3, state: "cleared" }))?.before?.state).toBe("accepted");
  });

  it("keeps a closed incident for whoever looks at it, but not among the open ones", () => {
    const book = new IncidentBook();
    book.take(1, incident(1));
    book.take(2, incident(1, { seq: 2, state: "cleared" }));
    expect(book.open()).toEqual([]);
    expect(book.of(1)?.state).toBe("cleared");
  });
});
