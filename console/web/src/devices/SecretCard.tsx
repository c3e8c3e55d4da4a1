// A secret, told this once: large, to copy, with what to do with it.
import { useState } from "react";
import { clockTime, day } from "../format/figures";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { IssuedReply } from "../wire.generated";
import { secretHelp } from "./words";

export function SecretCard({ issued, onDone }: { issued: IssuedReply; onDone: () => void }) {
  const { language } = useSettings();
  const t = useText();
  const [copied, setCopied] = useState(false);
  const { secret, pairs_until_ms: until } = issued;
  const help = secretHelp(t, issued.protocol, issued.place);
  const copy = async (): Promise<void> => {
    if (secret === null) return;
    await navigator.clipboard?.writeText(secret).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <section className="secret" data-testid="secret-card" aria-labelledby="secret-title">
      <h3 id="secret-title">{t("devices.enrolled", { id: issued.device_id })}</h3>
      {secret === null ? (
        <p className="f13 t2">{t("devices.noSecret")}</p>
      ) : (
        <>
          <p className="f13 t2">
            {t(`secret.${issued.secret_kind}`)} · {t("devices.once")}
          </p>
          <output className="code" data-testid="secret">
            {secret}
          </output>
          {help ? <p className="f12 t2 said">{help}</p> : null}
          {until === null ? null : (
            <p className="f13" data-testid="secret-pairs">
              {t("devices.pairsUntil", { time: `${day(until, language)} ${clockTime(until).slice(0, 5)}` })}
            </p>
          )}
        </>
      )}
      <div className="row">
        {secret === null ? null : (
          <button type="button" className="btn" data-testid="secret-copy" onClick={() => void copy()}>
            {t(copied ? "devices.copied" : "devices.copy")}
          </button>
        )}
        <span className="sp" />
        <button type="button" className="btn pri" data-testid="secret-done" onClick={onDone}>
          {t("devices.noted")}
        </button>
      </div>
    </section>
  );
}
