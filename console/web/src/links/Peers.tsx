// Who is at the other end of a link: the devices that they proved to be, from where, since when, and what came.
import { useMemo } from "react";
import { openDevice } from "../devices/desk";
import { heardAgo } from "../devices/deviceList";
import { nameIn } from "../i18n/text";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import { showScreen } from "../supervisor/keys";
import type { LinkPeersReply, LinkPeerView } from "../wire.generated";

const EVERY_MS = 3000;

/** The name of the unit for which each device speaks. */
function useDeviceNames(): ReadonlyMap<number, string> {
  const { units, unitsVersion } = useLive();
  const { language } = useSettings();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says when the units are others
  return useMemo(() => {
    const names = new Map<number, string>();
    for (const unit of units.values())
      for (const device of unit.devices) names.set(device.device_id, nameIn(language, unit) || unit.call_sign);
    return names;
  }, [units, unitsVersion, language]);
}

function Peer({ peer, names }: { peer: LinkPeerView; names: ReadonlyMap<number, string> }) {
  const { nowMs } = useLive();
  const t = useText();
  const first = peer.device_ids[0];
  const others = peer.device_ids.length - 1;
  const show = (deviceId: number): void => {
    openDevice(deviceId);
    showScreen("devices");
  };
  return (
    <li data-testid="link-peer">
      <div className="row">
        {first === undefined ? (
          <span className="t3">{t("links.strangers")}</span>
        ) : (
          <button type="button" className="ell" onClick={() => show(first)}>
            <b>{names.get(first) ?? `#${first}`}</b>
            {others > 0 ? <span className="t3"> +{others}</span> : null}
          </button>
        )}
        <span className="sp" />
        {peer.paused ? <span className="badge attn">{t("linkState.paused")}</span> : null}
        <span className="num f12 t2 nw">{heardAgo(peer.heard_ms, nowMs, t)}</span>
      </div>
      <div className="row f12 t3 num">
        <span className="ell">
          {peer.host}:{peer.port}
        </span>
        <span className="sp" />
        <span className="nw">{t("links.peerCounts", { positions: peer.positions, bad: peer.bad })}</span>
      </div>
    </li>
  );
}

export function Peers({ url }: { url: string }) {
  const t = useText();
  const names = useDeviceNames();
  const { data } = usePolled<LinkPeersReply>(`/api/links/peers?url=${encodeURIComponent(url)}`, EVERY_MS);
  if (!data || data.peer_count === 0) return null;
  return (
    <div className="sec" data-testid="link-peers">
      <div className="h">
        {t("links.peers")} <span className="t3 num">{data.peer_count}</span>
      </div>
      <ul className="unitdevices">
        {data.peers.map((peer) => (
          <Peer key={`${peer.host} ${peer.port} ${peer.since_ms}`} peer={peer} names={names} />
        ))}
      </ul>
      {data.peers.length < data.peer_count ? (
        <p className="f12 t3 hint">{t("links.peersMore", { shown: data.peers.length, total: data.peer_count })}</p>
      ) : null}
    </div>
  );
}
