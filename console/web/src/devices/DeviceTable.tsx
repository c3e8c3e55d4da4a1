// The table of devices: how each is heard, for whom it speaks, how it is known and what is special about it.
import { memo } from "react";
import type { Translate } from "../i18n/text";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { UnitGlyph } from "../ui/icons";
import { openDevice } from "./desk";
import { type DeviceRow, heardAgo, zoneText } from "./deviceList";
import { protocolName, wordOf } from "./words";

const SHOWN = 400;
export const LINK_TONE = { live: "", stale: "attn", lost: "alarm", never: "line" } as const;

/** What of a device's options is not its protocol's standard, in a few signs. */
export function optionWords({ device }: DeviceRow, t: Translate): string[] {
  const { options } = device;
  const words: string[] = [];
  if (options.utc_offset_s !== undefined && options.utc_offset_s !== 28_800)
    words.push(`UTC${zoneText(options.utc_offset_s)}`);
  if (options.crs && options.crs !== "wgs84") words.push(wordOf(t, "datum", options.crs));
  if (options.trust != null) words.push(t("devices.trustN", { n: options.trust }));
  if (options.allowed_hosts?.length) words.push(t("devices.hostsN", { n: options.allowed_hosts.length }));
  if (options.ignores_checksum) words.push(t("options.checksumShort"));
  if (options.ignores_length) words.push(t("options.lengthShort"));
  return words;
}

const SECRET_TONE: Readonly<Record<string, string>> = { waiting: "acc", late: "attn", missing: "attn" };

export function SecretBadge({ state }: { state: string }) {
  const t = useText();
  if (state === "none" || state === "set") return <span className="t3 f12">{wordOf(t, "secretState", state)}</span>;
  return <span className={`badge ${SECRET_TONE[state] ?? "line"}`}>{wordOf(t, "secretState", state)}</span>;
}

const Line = memo(function Line({
  row,
  isSelected,
  nowMs,
  t,
}: {
  row: DeviceRow;
  isSelected: boolean;
  nowMs: number;
  t: Translate;
}) {
  const { device, unit, unitName } = row;
  const link = device.revoked ? "revoked" : device.link;
  const words = optionWords(row, t);
  return (
    <tr
      className={`${isSelected ? "sel" : ""} ${device.revoked ? "over" : ""}`}
      aria-current={isSelected ? "true" : undefined}
      data-testid="device-row"
      data-device-id={device.device_id}
      onClick={() => openDevice(device.device_id)}
    >
      <td>
        {link === "live" ? (
          <span className="t2 f12">{t("fresh.live")}</span>
        ) : (
          <span className={`badge ${device.revoked ? "line" : LINK_TONE[device.link]}`}>
            {wordOf(t, "fresh", link)}
          </span>
        )}
      </td>
      <td>
        <button type="button" className="row cellbtn" aria-label={unitName || device.label || String(device.device_id)}>
          {unit ? <UnitGlyph name={unit.kind} size={18} /> : <span className="noglyph" />}
          <span className={`ell ${unit ? "" : "t3"}`}>{unitName || t("devices.idle")}</span>
        </button>
      </td>
      <td className="ell">{device.label || <span className="t3">#{device.device_id}</span>}</td>
      <td className="ell">{protocolName(t, device.protocol)}</td>
      <td className="ell num t2">{device.address ?? "–"}</td>
      <td className="r num">{heardAgo(device.heard_ms, nowMs, t)}</td>
      <td className="r num t2">{`${device.report_interval_s}\u2009s`}</td>
      <td>
        <SecretBadge state={device.secret_state} />
      </td>
      <td className="ell f12 t3" title={words.join(" · ")}>
        {words.join(" · ") || ""}
      </td>
    </tr>
  );
});

export function DeviceTable({ rows, deviceId }: { rows: readonly DeviceRow[]; deviceId: number | null }) {
  const { nowMs } = useLive();
  const t = useText();
  const seconds = Math.floor(nowMs / 1000) * 1000;
  return (
    <div className="tablebox">
      <table className="devices" aria-label={t("app.devices")} data-testid="device-table">
        <colgroup>
          {["134px", "18%", "14%", "124px", "16%", "76px", "72px", "124px", "auto"].map((width, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: columns stand still
            <col key={index} style={{ width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th>{t("inspector.link")}</th>
            <th>{t("devices.unit")}</th>
            <th>{t("devices.label")}</th>
            <th>{t("devices.protocol")}</th>
            <th>{t("devices.address")}</th>
            <th className="r">{t("devices.heardShort")}</th>
            <th className="r">{t("devices.interval")}</th>
            <th>{t("devices.secret")}</th>
            <th>{t("devices.options")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN).map((row) => (
            <Line
              key={row.device.device_id}
              row={row}
              isSelected={row.device.device_id === deviceId}
              nowMs={seconds}
              t={t}
            />
          ))}
        </tbody>
      </table>
      {rows.length === 0 ? <p className="sentence">{t("devices.none")}</p> : null}
      {rows.length > SHOWN ? (
        <p className="sentence">{t("devices.more", { shown: SHOWN, total: rows.length })}</p>
      ) : null}
    </div>
  );
}
