// The keys, in one dialog.
import { useEffect, useRef } from "react";
import type { TextKey } from "../i18n/zh";
import { change, type Screen, useSettings } from "../state/settings";
import { useText } from "../state/useText";

const KEYS: readonly [string, TextKey][] = [
  ["/", "help.search"],
  ["J  K  ↓  ↑", "help.next"],
  ["Enter", "help.open"],
  ["↑ ↓ ← →", "help.arrows"],
  ["F", "help.follow"],
  ["Space", "help.ack"],
  ["A", "help.alarms"],
  ["C", "help.coverage"],
  ["T", "help.trails"],
  ["L", "help.labels"],
  ["G", "help.fences"],
  ["+  −", "help.zoom"],
  ["0", "help.fit"],
  ["Esc", "help.escape"],
  ["?", "help.help"],
];

const SUPERVISOR_KEYS: readonly [string, TextKey][] = [
  ["Alt+1 … Alt+6", "help.screens"],
  ["1 … 6", "help.candidates"],
  ["Enter", "help.send"],
  ["N", "help.new"],
  ["I", "help.focus"],
  ["J  K  ↓  ↑", "help.incidents"],
  ["C", "help.cover"],
  ["W", "help.whatIf"],
  ["U", "help.moveUp"],
  ["P", "help.report"],
];
const DEVICE_KEYS: readonly [string, TextKey][] = [
  ["/", "help.searchDevices"],
  ["J  K  ↓  ↑", "help.devicesNext"],
  ["N", "help.enrol"],
];
const FENCE_KEYS: readonly [string, TextKey][] = [
  ["/", "fence.search"],
  ["J  K  ↓  ↑", "help.fenceNext"],
  ["P", "help.fencePolygon"],
  ["C", "help.fenceCircle"],
  ["L", "help.fenceCorridor"],
];
const PLAN_KEYS: readonly [string, TextKey][] = [
  ["[  ]", "help.planDay"],
  ["J  K  ↓  ↑", "help.planNext"],
  ["N", "help.planNew"],
  ["E", "help.planChange"],
  ["M", "help.planMiddle"],
  ["R", "help.planAgain"],
  ["T", "help.planDry"],
  ["Ctrl+Enter", "help.planStep"],
  ["G  ← → ↑ ↓", "help.planChart"],
  ["+  −  ,  .", "help.planZoom"],
  ["W", "help.planWeek"],
];
const FLIGHT_KEYS: readonly [string, TextKey][] = [
  ["H H", "help.flightHold"],
  ["D", "help.flightGo"],
  ["O O", "help.flightContinue"],
  ["R R", "help.flightReturn"],
];
const EVERYWHERE: ReadonlySet<TextKey> = new Set(["help.ack", "help.escape", "help.help"]);
/** On the supervisor's screen these keys do something else, or nothing. */
const OPERATOR_ONLY: ReadonlySet<TextKey> = new Set(["help.next", "help.open", "help.coverage", "help.alarms"]);

function keysOf(screen: Screen): readonly (readonly [string, TextKey])[] {
  const screens = SUPERVISOR_KEYS[0]!;
  const everywhere = KEYS.filter(([, text]) => EVERYWHERE.has(text));
  if (screen === "supervisor") return [...SUPERVISOR_KEYS, ...KEYS.filter(([, text]) => !OPERATOR_ONLY.has(text))];
  if (screen === "devices") return [screens, ...DEVICE_KEYS, ...everywhere];
  if (screen === "geofences") return [screens, ...FENCE_KEYS, ...everywhere];
  if (screen === "plan") return [screens, ...PLAN_KEYS, ...everywhere];
  if (screen === "links") return [screens, ...everywhere];
  return [screens, ...KEYS, ...FLIGHT_KEYS];
}

export function HelpDialog({ screen }: { screen: Screen }) {
  const { helpOpen } = useSettings();
  const shown = keysOf(screen);
  const t = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [helpOpen]);
  return (
    <dialog
      ref={dialog}
      data-testid="help-dialog"
      aria-labelledby="help-title"
      onClose={() => change({ helpOpen: false })}
    >
      <h2 id="help-title">{t("help.title")}</h2>
      <div className="keys">
        {shown.map(([key, text]) => (
          <div key={text} style={{ display: "contents" }}>
            <span className="kbd">{key}</span>
            <span>{t(text)}</span>
          </div>
        ))}
      </div>
      <button type="button" className="btn" data-testid="help-close" onClick={() => change({ helpOpen: false })}>
        {t("help.close")}
      </button>
    </dialog>
  );
}
