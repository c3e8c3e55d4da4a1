// The officer's own call for help as it stands, over everything else, until it is over.
import { clockTime } from "../format/figures";
import { useText } from "../state/useText";
import { officer } from "./desk";
import { HoldButton } from "../ui/HoldButton";
import { useOfficer } from "./useOfficer";

const SHOWN = {
  none: null,
  unsent: "unsent",
  sent: "raised",
  raised: "raised",
  acknowledged: "acknowledged",
  ending: "ending",
} as const;

export function HelpBanner() {
  const { help, facts } = useOfficer();
  const t = useText();
  const shown = SHOWN[help.phase];
  if (shown === null) return null;
  const time = clockTime(help.calledMs);
  const text =
    shown === "acknowledged"
      ? t("officer.sos.acknowledgedText", { time, who: help.acknowledgedBy, ack: clockTime(help.acknowledgedMs) })
      : t(`officer.sos.${shown}Text`, { time });
  return (
    <section className={`ohelp ${help.phase}`} data-testid="help" data-phase={help.phase}>
      <div>
        <h2>{t(`officer.sos.${shown}`)}</h2>
        <p className="num">{text}</p>
        {facts.on ? null : <p>{t("officer.sos.noPlace")}</p>}
      </div>
      <div className="ohelprow">
        {facts.on ? null : (
          <button type="button" className="btn" data-testid="help-share" onClick={() => officer.setSharing("on")}>
            {t("officer.share.on")}
          </button>
        )}
        {help.phase === "ending" ? null : (
          <HoldButton className="btn" testId="help-end" onDone={() => officer.endHelp()}>
            {t("officer.sos.end")}
          </HoldButton>
        )}
      </div>
    </section>
  );
}
