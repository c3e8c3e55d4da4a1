// Alarms in words: what each kind is about, in both languages, with and without the geofence's name.
import { describe, expect, it } from "vitest";
import { translator } from "../src/i18n/text";
import { aboutText, lateText, standingText } from "../src/ui/alarmWords";
import type { Alarm, GeofenceView } from "../src/wire.generated";

const t = translator("en");
const FENCES = [{ geofence_id: 4, name_zh: "夜市", name_en: "Night market" }] as unknown as GeofenceView[];
const alarm = (part: Partial<Alarm>): Alarm =>
  ({ kind: "sos", text: "", geofence_id: null, raised_us: 0, acknowledged_us: null, is_late: false, ...part }) as Alarm;

describe("what an alarm is about", () => {
  it("names its geofence in the reader's language, else as the server told it", () => {
    const entered = alarm({ kind: "geofence", geofence_id: 4, text: "夜市" });
    expect(aboutText(t, "en", entered, FENCES)).toBe("Night market");
    expect(aboutText(translator("zh"), "zh", entered, FENCES)).toBe("夜市");
    expect(aboutText(t, "en", entered, [])).toBe("夜市");
  });

  it("tells speed and limit with the geofence, a terminal's own speeding as it said it", () => {
    const text = "63 > 40 km/h";
    const inside = alarm({ kind: "speeding", geofence_id: 4, text });
    expect(aboutText(t, "en", inside, FENCES)).toBe("63 > 40 km/h · Night market");
    expect(aboutText(t, "en", alarm({ kind: "speeding", text: "speeding" }), FENCES)).toBe("speeding");
  });

  it("tells how far the nearest other unit is, or that none is known", () => {
    expect(aboutText(t, "en", alarm({ kind: "officer_alone", text: "461 m" }), [])).toContain("461 m");
    expect(aboutText(t, "en", alarm({ kind: "officer_alone" }), [])).toBe("no other unit is known near");
  });
});

describe("how it stands", () => {
  it("names who has it now, not who took it first", () => {
    const given = alarm({ acknowledged_us: 5, acknowledged_by: "Li", owner: "Wang" });
    expect(standingText(t, given, 0)).toContain("Wang");
    expect(standingText(t, alarm({}), 65_000)).toContain("1:05");
  });

  it("says when the device saw what it told late", () => {
    expect(lateText(t, alarm({}))).toBe("");
    expect(lateText(t, alarm({ is_late: true, observed_us: 1 }))).toMatch(/\d\d:\d\d:\d\d/);
  });
});
