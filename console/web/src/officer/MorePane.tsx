// The rest: who is signed in, language, colours, sound, my alarms, what was done, signing out.
import { useState } from "react";
import { clockTime } from "../format/figures";
import { toggleLanguage, toggleSound, toggleTheme } from "../state/actions";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { SessionReply } from "../wire.generated";
import { officer } from "./desk";
import { LeaveDialog } from "./dialogs";
import { useOfficer } from "./useOfficer";

/** What was just said may be under way still; after so long it is unsent. */
const SETTLE_MS = 1500;

function MyAlarms({ unitId }: { unitId: number | null }) {
  const { alarms } = useLive();
  const t = useText();
  const mine = alarms.filter((alarm) => alarm.unit_id === unitId);
  return (
    <section>
      <h3 className="h">{t("officer.alarms.mine")}</h3>
      {mine.length === 0 ? <p className="f13 t3">{t("officer.alarms.none")}</p> : null}
      <ul className="olist" data-testid="my-alarms">
        {mine.map((alarm) => (
          <li key={alarm.alarm_id} className="row">
            <span className={`badge ${alarm.priority === 1 ? "solid" : "attn"}`}>P{alarm.priority}</span>
            <span>{t(`alarms.${alarm.kind}`)}</span>
            <span className="sp" />
            <span className="num t3 f13">
              {alarm.acknowledged_by ? t("alarms.acknowledged", { who: alarm.acknowledged_by }) : t("alarms.waiting")}{" "}
              {clockTime(alarm.raised_us / 1000)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function PastTasks() {
  const { past } = useOfficer();
  const t = useText();
  return (
    <section>
      <h3 className="h">{t("officer.past.title")}</h3>
      {past.length === 0 ? <p className="f13 t3">{t("officer.past.none")}</p> : null}
      <ul className="olist" data-testid="past-tasks">
        {past.map(({ task, ending, unsent }) => (
          <li key={task.dispatch.dispatch_id} className="row">
            <span className="badge">P{task.incident.urgency}</span>
            <span className="ell">{task.incident.title}</span>
            <span className="sp" />
            <span className={`f13 nw ${unsent ? "c-attn" : "t3"}`}>
              {ending ? t(`officer.past.${ending}`) : ""}
              {unsent ? ` · ${t("officer.step.kept")}` : ""}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export interface MorePaneProps {
  readonly session: SessionReply;
  readonly onSignOut: () => void;
}

export function MorePane({ session, onSignOut }: MorePaneProps) {
  const { theme, sound } = useSettings();
  const { facts, unsentCount } = useOfficer();
  const t = useText();
  const [asks, setAsks] = useState(false);
  const leave = (): void => {
    officer.signOut();
    onSignOut();
  };
  const tryToLeave = async (): Promise<void> => {
    if (await officer.settle(SETTLE_MS)) leave();
    else setAsks(true);
  };
  return (
    <div className="opane more" data-testid="more-pane">
      <p className="t3 f13" data-testid="account">
        {session.name} · {t(`role.${session.role}`)}
      </p>
      <button type="button" className="btn" data-testid="language-switch" onClick={toggleLanguage}>
        {t("language.switch")}
      </button>
      <button type="button" className="btn" data-testid="theme-switch" onClick={toggleTheme}>
        {t(theme === "night" ? "theme.day" : "theme.night")}
      </button>
      <button type="button" className="btn" data-testid="sound-switch" aria-pressed={sound} onClick={toggleSound}>
        {t(sound ? "officer.sound.on" : "officer.sound.off")}
      </button>
      <MyAlarms unitId={session.unit_id} />
      <PastTasks />
      <button type="button" className="btn" data-testid="sign-out" onClick={() => void tryToLeave()}>
        {t("session.signOut")}
      </button>
      {asks ? (
        <LeaveDialog fixes={facts.keptCount} answers={unsentCount} onStay={() => setAsks(false)} onLeave={leave} />
      ) : null}
    </div>
  );
}
