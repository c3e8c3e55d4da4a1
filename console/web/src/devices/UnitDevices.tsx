// A unit's devices in the inspector: what each says, how far it is from the one shown, which is believed, who is on board.
import { useState } from "react";
import { RequestError } from "../api/client";
import { age, clockTime, distance } from "../format/figures";
import { LinkWays } from "../operator/LinkWays";
import { useLive } from "../state/useLive";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import type { UnitDevicesReply, UnitDeviceView } from "../wire.generated";
import { trust } from "./acts";
import { LINK_TONE } from "./DeviceTable";
import { infoName, protocolName, wordOf } from "./words";

const EVERY_MS = 3000;

export const useUnitDevices = (unitId: number) => usePolled<UnitDevicesReply>(`/api/units/${unitId}/devices`, EVERY_MS);

interface UnitDevicesProps {
  readonly reply: UnitDevicesReply;
  readonly onChanged: () => void;
}

export function UnitDevices({ reply, onChanged }: UnitDevicesProps) {
  const t = useText();
  const [error, setError] = useState<RequestError | null>(null);
  const { devices, unit_id: unitId } = reply;
  const chosen = devices.some((device) => device.is_trusted);
  const choose = async (deviceId: number | null): Promise<void> => {
    const answer = await trust(unitId, deviceId);
    setError(answer instanceof RequestError ? answer : null);
    onChanged();
  };
  const onBoard = devices.map((device) => device.on_board).find((one) => one !== null);
  return (
    <div className="sec" data-testid="unit-devices">
      <div className="h">
        {t("inspector.devices")} <span className="t3 num">{devices.length}</span>
        <span className="sp" />
        {devices.length > 1 ? (
          <span className="t3 f12">{t(chosen ? "devices.byHand" : "devices.automatic")}</span>
        ) : null}
        {chosen ? (
          <button type="button" className="btn s ghost" data-testid="trust-none" onClick={() => void choose(null)}>
            {t("devices.backToAutomatic")}
          </button>
        ) : null}
      </div>
      {onBoard ? (
        <p className="f13 onboard" data-testid="on-board">
          {t("devices.onBoard", { name: onBoard.name || t("devices.noName") })}
          {onBoard.agency ? ` · ${onBoard.agency}` : ""} · {clockTime(onBoard.since_ms).slice(0, 5)}
        </p>
      ) : null}
      <ul className="unitdevices">
        {devices.map((device) => (
          <Device
            key={device.device_id}
            device={device}
            isAlone={devices.length === 1}
            onTrust={() => void choose(device.device_id)}
          />
        ))}
      </ul>
      {devices.length === 0 ? <p className="f13 t3">{t("devices.noneOfUnit")}</p> : null}
      {error ? (
        <p className="c-alarm f12" role="alert">
          {t("devices.failed", { why: error.detail || t(error.key, error.figures) })}
        </p>
      ) : null}
    </div>
  );
}

function Device({ device, isAlone, onTrust }: { device: UnitDeviceView; isAlone: boolean; onTrust: () => void }) {
  const { nowMs } = useLive();
  const t = useText();
  const heard = age(device.observed_ms === null ? null : Math.max(0, nowMs - device.observed_ms), t);
  return (
    <li className={device.is_shown ? "shown" : ""} data-testid="unit-device" data-device-id={device.device_id}>
      <div className="row">
        <b className="ell">{device.label || protocolName(t, device.protocol)}</b>
        <span className="sp" />
        <span className={`badge ${LINK_TONE[device.link]}`}>{wordOf(t, "fresh", device.link)}</span>
        <span className="num f12 t2 nw">{heard}</span>
      </div>
      <div className="row f12 wrap">
        {device.label ? <span className="t3">{protocolName(t, device.protocol)}</span> : null}
        {device.is_shown ? (
          <span className="c-acc">{t(isAlone ? "devices.speaks" : "devices.shown")}</span>
        ) : device.distance_m === null ? (
          <span className="t3">{t("devices.noPlace")}</span>
        ) : (
          <span className={device.disagrees ? "c-attn" : "t3"} data-testid="device-distance">
            {t(device.disagrees ? "devices.disagrees" : "devices.apart", { distance: distance(device.distance_m) })}
          </span>
        )}
        {device.accuracy_m === null ? null : <span className="t3 num">±{Math.round(device.accuracy_m)}&#8201;m</span>}
        {device.zone_offset_s ? <span className="c-attn">{t("devices.zoneWrong")}</span> : null}
        <span className="sp" />
        {device.is_trusted ? (
          <span className="badge acc">{t("devices.trusted")}</span>
        ) : isAlone ? null : (
          <button type="button" className="btn s ghost" data-testid={`trust-${device.device_id}`} onClick={onTrust}>
            {t("devices.trust")}
          </button>
        )}
      </div>
      <Told device={device} />
    </li>
  );
}

function Told({ device }: { device: UnitDeviceView }) {
  const t = useText();
  const told = [...Object.entries(device.info), ...Object.entries(device.parameters), ...Object.entries(device.vendor)];
  return (
    <>
      <LinkWays links={device.links} />
      {device.video.map(({ channel, url }) => (
        <p key={channel} className="f12 said" data-testid="device-video">
          {t("devices.videoAt", { channel: channel || "1" })} <span className="num c-acc">{url}</span>
        </p>
      ))}
      {told.length === 0 ? null : (
        <details>
          <summary className="f12 t3">{t("devices.told", { n: told.length })}</summary>
          <dl className="kv f12">
            {told.map(([name, value]) => (
              <div key={name} style={{ display: "contents" }}>
                <dt className="said">{infoName(t, name)}</dt>
                <dd className="num said">{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}
