// Who spoke without being known, the one heard last first: adopt it with its name, or forget it.
import { useState } from "react";
import { RequestError } from "../api/client";
import { age } from "../format/figures";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { EnrolmentRulesReply, QuarantineView } from "../wire.generated";
import { dismiss } from "./acts";
import { beginEnrolment } from "./desk";
import { hasForm } from "./deviceList";
import { protocolName, reasonText } from "./words";

interface QuarantineProps {
  readonly names: readonly QuarantineView[];
  readonly told: EnrolmentRulesReply | null;
  readonly onChanged: () => void;
}

export function Quarantine({ names, told, onChanged }: QuarantineProps) {
  const t = useText();
  const [error, setError] = useState<RequestError | null>(null);
  const forget = async ({ protocol, address }: QuarantineView): Promise<void> => {
    const reply = await dismiss(protocol, address);
    setError(reply instanceof RequestError ? reply : null);
    onChanged();
  };
  return (
    <>
      <div className="sec lead">
        <div className="h">
          {t("quarantine.title")}
          <span className="t3 num">{names.length}</span>
        </div>
        <p className="f13 t2">{t("quarantine.lead")}</p>
        {error ? (
          <p className="c-alarm f13" role="alert">
            {t("devices.failed", { why: error.detail || t(error.key, error.figures) })}
          </p>
        ) : null}
      </div>
      {names.length === 0 ? <p className="sentence">{t("quarantine.none")}</p> : null}
      <ul className="strangers" data-testid="quarantine">
        {names.map((name) => (
          <Stranger
            key={`${name.protocol} ${name.address}`}
            name={name}
            told={told}
            onForget={() => void forget(name)}
          />
        ))}
      </ul>
    </>
  );
}

interface StrangerProps {
  readonly name: QuarantineView;
  readonly told: EnrolmentRulesReply | null;
  readonly onForget: () => void;
}

function Stranger({ name, told, onForget }: StrangerProps) {
  const { nowMs } = useLive();
  const t = useText();
  const { protocol, address } = name;
  const rule = told?.rules.find((each) => each.protocol === protocol);
  const mayAdopt = Boolean(told?.is_managed && rule && (rule.secret === "token" || hasForm(rule, address)));
  return (
    <li data-testid="stranger">
      <div className="row">
        <b className="ell num">{address}</b>
        <span className="badge line">{protocolName(t, protocol)}</span>
        <span className="sp" />
        <span className="f12 t3 nw num" title={name.last_seen_at}>
          {t("inspector.ago", { age: age(Math.max(0, nowMs - Date.parse(name.last_seen_at)), t) })}
        </span>
      </div>
      <p className="f13 t2 said">{reasonText(t, name.reason)}</p>
      <div className="row">
        <span className="f12 t3 num">
          {t("quarantine.seen", {
            count: name.seen_count,
            since: age(Math.max(0, nowMs - Date.parse(name.first_seen_at)), t),
          })}
        </span>
        <span className="sp" />
        {told?.is_managed ? (
          <button type="button" className="btn s ghost" data-testid="dismiss" onClick={onForget}>
            {t("quarantine.dismiss")}
          </button>
        ) : null}
        {mayAdopt ? (
          <button
            type="button"
            className="btn s"
            data-testid="adopt"
            onClick={() => beginEnrolment({ protocol, address })}
          >
            {t("quarantine.adopt")}
          </button>
        ) : null}
      </div>
    </li>
  );
}
