// The devices' page: who is enrolled and how each is heard, who spoke unknown, and what may be done about both.
import { useEffect, useMemo, useState } from "react";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { DevicesReply, EnrolmentRulesReply, QuarantineReply } from "../wire.generated";
import { DevicePanel } from "./DevicePanel";
import { DeviceTable } from "./DeviceTable";
import { beginEnrolment, changeDeviceDesk, closePanel, useDeviceDesk } from "./desk";
import {
  belongs,
  countDevices,
  DEVICE_FILTERS,
  type DeviceRow,
  deviceRows,
  fitsDevice,
  protocolsOf,
} from "./deviceList";
import { EnrolForm } from "./EnrolForm";
import { showRows } from "./keys";
import { Quarantine } from "./Quarantine";
import { SecretCard } from "./SecretCard";
import { protocolName } from "./words";

const EVERY_MS = 2000;
/** A long list is megabytes: it is asked for less often. */
const LONG = 2000;
const LONG_EVERY_MS = 8000;
const RULES_EVERY_MS = 300_000;

export function DevicesPage() {
  const { language } = useSettings();
  const { units } = useLive();
  const { deviceId, panel, filter, query, protocol, isPanelOpen } = useDeviceDesk();
  const t = useText();
  const [everyMs, setEveryMs] = useState(EVERY_MS);
  const devices = usePolled<DevicesReply>("/api/devices", everyMs);
  const quarantine = usePolled<QuarantineReply>("/api/devices/quarantine", EVERY_MS);
  const told = usePolled<EnrolmentRulesReply>("/api/devices/rules", RULES_EVERY_MS).data;
  const all = useMemo(() => deviceRows(devices.data?.devices ?? [], units, language), [devices.data, units, language]);
  const protocols = useMemo(() => protocolsOf(all), [all]);
  const ofProtocol = useMemo(
    () => (protocol === null ? all : all.filter((row) => row.device.protocol === protocol)),
    [all, protocol],
  );
  const counts = useMemo(() => countDevices(ofProtocol), [ofProtocol]);
  const rows = useMemo(
    () => ofProtocol.filter((row) => belongs(row, filter) && fitsDevice(row, query)),
    [ofProtocol, filter, query],
  );
  const names = quarantine.data?.quarantine ?? [];
  const again = (): void => {
    devices.again();
    quarantine.again();
  };
  useEffect(() => setEveryMs(all.length > LONG ? LONG_EVERY_MS : EVERY_MS), [all.length]);
  useEffect(() => showRows(rows, told?.is_managed ?? false), [rows, told]);

  return (
    <main
      className={`page ${isPanelOpen ? "open" : ""}`}
      data-testid="devices-page"
      data-loaded={devices.data !== null}
    >
      <section className="panel" aria-label={t("app.devices")}>
        <div className="pagehead">
          <label className="search">
            <Icon name="search" size={16} />
            <input
              data-testid="device-search"
              type="text"
              inputMode="search"
              autoComplete="off"
              spellCheck={false}
              aria-label={t("devices.search")}
              placeholder={t("devices.search")}
              value={query}
              onChange={(event) => changeDeviceDesk({ query: event.target.value })}
            />
            <span className="kbd" aria-hidden="true">
              /
            </span>
          </label>
          {protocols.length > 1 ? (
            <select
              className="field s"
              aria-label={t("devices.protocol")}
              data-testid="device-protocol"
              value={protocol ?? ""}
              onChange={(event) => changeDeviceDesk({ protocol: event.target.value || null })}
            >
              <option value="">{t("devices.protocols")}</option>
              {protocols.map((each) => (
                <option key={each} value={each}>
                  {protocolName(t, each)}
                </option>
              ))}
            </select>
          ) : null}
          <div className="chips" role="group" aria-label={t("devices.filter")}>
            {DEVICE_FILTERS.filter((each) => counts[each] > 0 || each === "all" || each === filter).map((each) => (
              <button
                key={each}
                type="button"
                className={`chip ${filter === each ? "on" : ""}`}
                aria-pressed={filter === each}
                data-testid={`device-filter-${each}`}
                onClick={() => changeDeviceDesk({ filter: each })}
              >
                {t(`devices.filter.${each}`)} <b className="num">{counts[each]}</b>
              </button>
            ))}
          </div>
          <span className="sp" />
          <button
            type="button"
            className={`chip strangersbtn ${names.length ? "attn" : ""}`}
            data-testid="show-quarantine"
            onClick={() => changeDeviceDesk({ panel: "quarantine", deviceId: null, isPanelOpen: true })}
          >
            {t("quarantine.title")} <b className="num">{names.length}</b>
          </button>
          {told?.is_managed ? (
            <button type="button" className="btn pri" data-testid="enrol" onClick={() => beginEnrolment()}>
              {t("devices.enrol")}
              <span className="kbd">N</span>
            </button>
          ) : null}
        </div>
        {devices.error ? (
          <p className="sentence c-attn" role="alert">
            {t("devices.stale", { why: devices.error.detail || t(devices.error.key, devices.error.figures) })}
          </p>
        ) : null}
        <DeviceTable rows={rows} deviceId={deviceId} />
      </section>
      <aside className="panel side" aria-label={t(panel === "quarantine" ? "quarantine.title" : "devices.details")}>
        <Side
          row={all.find((row) => row.device.device_id === deviceId) ?? null}
          told={told}
          names={names}
          again={again}
        />
      </aside>
    </main>
  );
}

interface SideProps {
  readonly row: DeviceRow | null;
  readonly told: EnrolmentRulesReply | null;
  readonly names: QuarantineReply["quarantine"];
  readonly again: () => void;
}

function Side({ row, told, names, again }: SideProps) {
  const { panel, beginning, deviceId, issued } = useDeviceDesk();
  const t = useText();
  const title = panel === "enrol" ? t(beginning ? "devices.adoptTitle" : "devices.enrolTitle") : t("devices.details");
  return (
    <>
      <div className={`dh sidehead ${panel === "quarantine" ? "narrow-only" : ""}`}>
        <b className="f13">{panel === "quarantine" ? t("quarantine.title") : title}</b>
        <span className="sp" />
        <button
          type="button"
          className="iconbtn"
          aria-label={t("help.close")}
          data-testid="side-close"
          onClick={closePanel}
        >
          <Icon name="close" size={16} />
        </button>
      </div>
      <div className="sidebody">
        {panel === "device" && issued ? (
          <SecretCard key={issued.secret} issued={issued} onDone={() => changeDeviceDesk({ issued: null })} />
        ) : null}
        {panel === "enrol" && told ? (
          <EnrolForm key={`${beginning?.protocol} ${beginning?.address}`} told={told} onEnrolled={again} />
        ) : panel === "device" && row ? (
          <DevicePanel
            key={deviceId}
            row={row}
            rule={told?.rules.find((rule) => rule.protocol === row.device.protocol)}
            onChanged={again}
          />
        ) : panel === "quarantine" ? (
          <Quarantine names={names} told={told} onChanged={again} />
        ) : null}
      </div>
    </>
  );
}
