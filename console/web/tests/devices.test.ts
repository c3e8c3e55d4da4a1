// The devices' page: what is found, counted and moved between; addresses by their protocol's form; commands that never go back.
import { describe, expect, it } from "vitest";
import {
  belongs,
  countDevices,
  type DeviceFilter,
  deviceBeside,
  deviceRows,
  fitsDevice,
  hasForm,
  zoneText,
} from "../src/devices/deviceList";
import { CommandBook } from "../src/live/commandBook";
import type { CommandView, DeviceView, EnrolmentRuleView, UnitMeta } from "../src/wire.generated";

const device = (device_id: number, more: Partial<DeviceView> = {}): DeviceView => ({
  device_id,
  protocol: "jt808",
  address: `1391234567${device_id}`,
  label: "",
  report_interval_s: 5,
  revoked: false,
  unit_id: null,
  link: "live",
  heard_ms: 1,
  secret_state: "set",
  pairs_until_ms: null,
  registered_at: null,
  registered_until_ms: null,
  options: {},
  is_managed: true,
  ...more,
});

const car = { unit_id: 3, call_sign: "Car 03", name_zh: "警车 03", name_en: "Car 03", kind: "car" } as UnitMeta;
const units = new Map([[3, car]]);

describe("the list of devices", () => {
  const devices = [
    device(1),
    device(2, { unit_id: 3, label: "roof", link: "lost" }),
    device(3, { unit_id: 3, revoked: true }),
    device(4, { unit_id: 9, secret_state: "late", link: "never" }),
  ];
  const rows = deviceRows(devices, units, "zh");

  it("stands by unit, and devices that speak for nobody last", () => {
    expect(rows.map((row) => row.device.device_id)).toEqual([2, 3, 1, 4]);
    expect(rows[0]!.unitName).toBe("警车 03");
  });

  it("counts revoked devices under their own name alone", () => {
    const counts = countDevices(rows);
    expect([counts.all, counts.lost, counts.revoked, counts.idle, counts.waiting]).toEqual([3, 1, 1, 1, 1]);
    const filters: DeviceFilter[] = ["all", "live", "revoked"];
    expect(filters.map((filter) => belongs(rows[1]!, filter))).toEqual([false, false, true]);
  });

  it("is searched by every word in address, label, unit and number", () => {
    const found = (query: string) => rows.filter((row) => fitsDevice(row, query)).map((row) => row.device.device_id);
    expect([found("ROOF"), found("警车 13912345672"), found("nobody"), found("")]).toEqual([
      [2],
      [2],
      [],
      [2, 3, 1, 4],
    ]);
  });

  it("is walked up and down and ends at both ends", () => {
    expect([null, 2, 4].map((at) => deviceBeside(rows, at, 1))).toEqual([2, 3, 4]);
    expect([null, 2, 4].map((at) => deviceBeside(rows, at, -1))).toEqual([4, 2, 1]);
    expect(deviceBeside([], null, 1)).toBeNull();
  });
});

describe("an address", () => {
  const rule = (form: string, secret: EnrolmentRuleView["secret"] = "code") =>
    ({ protocol: "x", secret, form, example: "", said: "", pairs: false, takes: [] }) as EnrolmentRuleView;

  it("has its protocol's whole form, whatever spaces stand round it", () => {
    expect(hasForm(rule("[0-9]{6,20}"), " 13912345678 ")).toBe(true);
    expect(hasForm(rule("[0-9]{6,20}"), "13912345678x")).toBe(false);
    expect(hasForm(rule("a|b"), "ab")).toBe(false);
  });

  it("is nothing for a token", () => {
    expect(hasForm(rule("", "token"), "")).toBe(true);
  });
});

describe("a zone", () => {
  it("is written as people do", () => {
    expect([28_800, 0, -12_600, 20_700].map(zoneText)).toEqual(["+08:00", "+00:00", "−03:30", "+05:45"]);
  });
});

describe("CommandBook", () => {
  const command = (command_id: number, state: CommandView["state"], unit_id: number | null = 3) =>
    ({ command_id, unit_id, state, kind: "send_text" }) as CommandView;

  it("never takes a command back to where it was", () => {
    const book = new CommandBook();
    book.put(command(1, "sent"));
    expect([book.put(command(1, "queued")), book.put(command(1, "delivered")), book.put(command(1, "sent"))]).toEqual([
      false,
      true,
      false,
    ]);
    expect(book.of(3)[0]!.state).toBe("delivered");
  });

  it("gives a unit's commands, the newest first, and forgets all at a restart", () => {
    const book = new CommandBook();
    for (const id of [2, 9, 5]) book.put(command(id, "queued"));
    book.put(command(7, "queued", 4));
    expect(book.of(3).map((one) => one.command_id)).toEqual([9, 5, 2]);
    book.restart();
    expect(book.of(3)).toEqual([]);
  });
});
