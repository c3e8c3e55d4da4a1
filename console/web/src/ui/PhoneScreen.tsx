// Below 768 px: the map behind, a sheet of three heights before it, list first, four tabs.
import { useState } from "react";
import { duration } from "../format/figures";
import { isUnacknowledged } from "../live/alarmBook";
import { isToSend } from "../live/incidentBook";
import { toggleLanguage, toggleTheme, cycleCoverage } from "../state/actions";
import { useDesk } from "../state/desk";
import { screensOf } from "../state/roles";
import type { Counts, UnitRow } from "../state/rows";
import { change, type Tab, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { showScreen } from "../supervisor/keys";
import { RightPanel } from "../supervisor/RightPanel";
import type { SessionReply } from "../wire.generated";
import { AcknowledgeButton, useAlarmUnit } from "./AlarmDetail";
import { AlarmDrawer } from "./AlarmDrawer";
import { CoverPanel } from "./CoverPanel";
import { Icon, type IconName } from "./icons";
import { Inspector } from "./Inspector";
import { DegradedBadges, LiveState } from "./LiveState";
import type { ListItem } from "./listItems";
import { MapPane } from "./MapPane";
import { SearchBox } from "./SearchBox";
import { KindChips, UnitGrid } from "./UnitList";

const HEIGHTS = [34, 64, 92] as const;
const TABS: readonly [Tab, IconName][] = [
  ["units", "list"],
  ["alarms", "bell"],
  ["incidents", "pin"],
  ["map", "map"],
  ["more", "menu"],
];

export interface PhoneProps {
  readonly session: SessionReply;
  readonly items: readonly ListItem[];
  readonly counts: Counts;
  readonly rows: readonly UnitRow[];
  readonly onSignOut: () => void;
  readonly onSearchEnter: () => void;
}

/** The most urgent alarm that nobody took, where the list of alarms is not in sight. */
export function UrgentAlarm() {
  const { alarms, nowMs } = useLive();
  const unitOf = useAlarmUnit();
  const t = useText();
  const alarm = alarms.find((each) => each.priority === 1 && isUnacknowledged(each));
  if (!alarm) return null;
  return (
    <div className="palert" data-testid="phone-alert">
      <span className="badge solid">P1</span>
      <div style={{ minWidth: 0 }}>
        <div className="ell">
          <b>{unitOf(alarm)}</b>
        </div>
        <div className="f13 num ell">
          {t(alarm.kind === "sos" ? "state.sos" : `alarms.${alarm.kind}`)}
          {alarm.ended_us === null ? "" : ` · ${t("alarms.ended")}`} · {duration(nowMs - alarm.raised_us / 1000)}
        </div>
      </div>
      <AcknowledgeButton alarm={alarm} primary={false} />
    </div>
  );
}

function More({ session, rows, onSignOut }: Pick<PhoneProps, "session" | "rows" | "onSignOut">) {
  const { theme, coverage } = useSettings();
  const t = useText();
  return (
    <div className="more">
      <p className="t3 f13">
        {session.name} · {t(`role.${session.role}`)}
      </p>
      <button type="button" className="btn" data-testid="language-switch" onClick={toggleLanguage}>
        {t("language.switch")}
      </button>
      <button type="button" className="btn" data-testid="theme-switch" onClick={toggleTheme}>
        {t(theme === "night" ? "theme.day" : "theme.night")}
      </button>
      <button type="button" className="btn" onClick={cycleCoverage}>
        {t(`map.coverage.${coverage}`)}
      </button>
      {screensOf(session.role)
        .filter((each) => each !== "operator" && each !== "supervisor")
        .map((each) => (
          <button
            key={each}
            type="button"
            className="btn"
            data-testid={`screen-${each}`}
            onClick={() => showScreen(each)}
          >
            {t(`app.${each}`)}
          </button>
        ))}
      <button type="button" className="btn" data-testid="sign-out" onClick={onSignOut}>
        {t("session.signOut")}
      </button>
      <CoverPanel rows={rows} />
    </div>
  );
}

function Sheet(props: PhoneProps) {
  const { tab, selectedId } = useSettings();
  if (tab === "alarms") return <AlarmDrawer />;
  if (tab === "incidents") return <RightPanel />;
  if (tab === "more") return <More {...props} />;
  if (selectedId !== null) return <Inspector unitId={selectedId} />;
  return (
    <>
      <UrgentAlarm />
      <KindChips counts={props.counts} />
      <UnitGrid items={props.items} rowPx={60} />
    </>
  );
}

export function PhoneScreen(props: PhoneProps) {
  const { tab } = useSettings();
  const { alarms, incidents } = useLive();
  const toSend = incidents.filter(isToSend).length;
  const t = useText();
  const [step, setStep] = useState(1);
  const waiting = alarms.filter(isUnacknowledged).length;
  const { picking } = useDesk();
  const height =
    picking !== "none" || tab === "map" ? HEIGHTS[0] : tab === "units" ? HEIGHTS[step]! : HEIGHTS[Math.max(1, step)]!;
  return (
    <div className="phone" data-testid="operator">
      <MapPane screen="operator" />
      <header className="ctl phonebar">
        <h1 className="unseen">skybeat</h1>
        <SearchBox onEnter={props.onSearchEnter} />
        <DegradedBadges />
        <LiveState brief />
      </header>
      <main className="sheet" data-testid="sheet" style={{ height: `calc(${height}% - 68px)`, minHeight: 190 }}>
        <button
          type="button"
          className="grab"
          aria-label={t("sheet.handle")}
          data-testid="sheet-handle"
          onClick={() => setStep((step + 1) % HEIGHTS.length)}
        >
          <i />
        </button>
        <Sheet {...props} />
      </main>
      <nav>
        <div className="phonenav" role="tablist">
          {TABS.map(([name, icon]) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={tab === name}
              data-testid={`tab-${name}`}
              onClick={() => change({ tab: name, ...(name === "units" ? { selectedId: null, follow: false } : {}) })}
            >
              <Icon name={icon} size={22} />
              {t(`tabs.${name}`)}
              {name === "incidents" && toSend > 0 ? <span className="badge solid">{toSend}</span> : null}
              {name === "alarms" && waiting > 0 ? <span className="badge solid">{waiting}</span> : null}
            </button>
          ))}
        </div>
      </nav>
    </div>
  );
}
