// How a device differs from its protocol's standard: zone, datum, trust, what is forgiven, from where it may speak.
import type { OptionsView } from "../wire.generated";
import { useText } from "../state/useText";
import { zoneText } from "./deviceList";

const DATUMS = ["wgs84", "gcj02", "bd09", "cgcs2000"] as const;
const ZONES_S = [-28_800, -18_000, 0, 3600, 7200, 10_800, 19_800, 25_200, 28_800, 32_400, 36_000];

/** All options of a device, as the server's answers have them. */
export type Options = Required<OptionsView>;

export const STANDARD: Options = {
  utc_offset_s: 28_800,
  crs: "wgs84",
  ignores_checksum: false,
  ignores_length: false,
  trust: null,
  allowed_hosts: [],
};

export function OptionsForm({ options, onChange }: { options: Options; onChange: (next: Options) => void }) {
  const t = useText();
  const zones = ZONES_S.includes(options.utc_offset_s) ? ZONES_S : [...ZONES_S, options.utc_offset_s];
  return (
    <div className="form" data-testid="options">
      <div className="two">
        <label>
          {t("options.zone")}
          <select
            className="field"
            data-testid="option-zone"
            value={options.utc_offset_s}
            onChange={(event) => onChange({ ...options, utc_offset_s: Number(event.target.value) })}
          >
            {zones.map((offset) => (
              <option key={offset} value={offset}>
                UTC{zoneText(offset)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("options.datum")}
          <select
            className="field"
            data-testid="option-datum"
            value={options.crs}
            onChange={(event) => onChange({ ...options, crs: event.target.value })}
          >
            {DATUMS.map((datum) => (
              <option key={datum} value={datum}>
                {t(`datum.${datum}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className="two">
        <label>
          {t("options.trust")}
          <input
            className="field"
            data-testid="option-trust"
            type="number"
            min={0}
            max={100}
            placeholder={t("options.standard")}
            value={options.trust ?? ""}
            onChange={(event) =>
              onChange({ ...options, trust: event.target.value === "" ? null : Number(event.target.value) })
            }
          />
        </label>
        <label>
          {t("options.hosts")}
          <input
            className="field"
            data-testid="option-hosts"
            placeholder="10.20.0.0/16"
            defaultValue={options.allowed_hosts.join(", ")}
            onChange={(event) =>
              onChange({ ...options, allowed_hosts: event.target.value.split(/[\s,;]+/).filter(Boolean) })
            }
          />
        </label>
      </div>
      <label className="check">
        <input
          type="checkbox"
          checked={options.ignores_checksum}
          onChange={(event) => onChange({ ...options, ignores_checksum: event.target.checked })}
        />
        {t("options.checksum")}
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={options.ignores_length}
          onChange={(event) => onChange({ ...options, ignores_length: event.target.checked })}
        />
        {t("options.length")}
      </label>
    </div>
  );
}
