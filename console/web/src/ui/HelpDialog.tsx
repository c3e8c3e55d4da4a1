// The keys, in one dialog.
import { useEffect, useRef } from "react";
import type { TextKey } from "../i18n/zh";
import { change, useSettings } from "../state/settings";
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
  ["+  −", "help.zoom"],
  ["0", "help.fit"],
  ["Esc", "help.escape"],
  ["?", "help.help"],
];

export function HelpDialog() {
  const { helpOpen } = useSettings();
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
        {KEYS.map(([key, text]) => (
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
