// The top bar: brand, search, live state, who sits here, clock, language, theme, sign out.
import { useEffect, useRef } from "react";
import { clockTime, day } from "../format/figures";
import { toggleLanguage, toggleTheme } from "../state/actions";
import { screenOf, screensOf } from "../state/roles";
import { change, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { showScreen } from "../supervisor/keys";
import type { Role, SessionReply } from "../wire.generated";
import { Brand, Icon } from "./icons";
import { DegradedBadges, LiveState } from "./LiveState";
import { SearchBox } from "./SearchBox";

export interface TopBarProps {
  readonly session: SessionReply;
  readonly cityName: string;
  readonly onSignOut: () => void;
  readonly onSearchEnter: () => void;
}

function Screens({ role }: { role: Role }) {
  const { screen } = useSettings();
  const t = useText();
  const shown = screenOf(role, screen);
  const screens = screensOf(role);
  const tabs = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another screen is another tab to bring into view
  useEffect(() => {
    const [bar, tab] = [tabs.current, tabs.current?.querySelector<HTMLElement>(".on")];
    if (bar && tab) bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
  }, [shown]);
  return (
    <nav ref={tabs} className="tabs" aria-label={t("app.screens")}>
      {screens.map((each, i) => (
        <button
          key={each}
          type="button"
          className={each === shown ? "on" : ""}
          aria-current={each === shown ? "page" : undefined}
          aria-keyshortcuts={`Alt+${i + 1}`}
          data-testid={`screen-${each}`}
          onClick={() => showScreen(each)}
        >
          {t(`app.${each}`)}
          <span className="kbd hide-narrow">Alt+{i + 1}</span>
        </button>
      ))}
    </nav>
  );
}

export function TopBar({ session, cityName, onSignOut, onSearchEnter }: TopBarProps) {
  const { language, theme, screen } = useSettings();
  const isOnMap = !["plan", "devices", "links", "geofences"].includes(screenOf(session.role, screen));
  const { nowMs } = useLive();
  const t = useText();
  const themeText = t(theme === "night" ? "theme.day" : "theme.night");
  return (
    <header className="top">
      <h1 className="logo">
        <Brand />
        skybeat<span className="hide-medium">{cityName || t("app.force")}</span>
      </h1>
      <Screens role={session.role} />
      <span className="sp" />
      {isOnMap ? <SearchBox onEnter={onSearchEnter} /> : null}
      <DegradedBadges />
      <LiveState />
      <span className="vr" />
      <div className="stat hide-medium" data-testid="account">
        {session.name} · {t(`role.${session.role}`)}
      </div>
      <div className="row">
        <span className="t2 f13 hide-narrow">{day(nowMs, language)}</span>
        <span className="clock num" data-testid="clock">
          {clockTime(nowMs)}
        </span>
      </div>
      <div className="row">
        <button
          type="button"
          className="btn s ghost"
          data-testid="language-switch"
          aria-label={t("language.switch")}
          title={t("language.switch")}
          onClick={toggleLanguage}
        >
          {t("language.short")}
        </button>
        <button
          type="button"
          className="iconbtn"
          data-testid="theme-switch"
          aria-label={themeText}
          title={themeText}
          onClick={toggleTheme}
        >
          <Icon name={theme === "night" ? "sun" : "moon"} />
        </button>
        <button
          type="button"
          className="iconbtn"
          data-testid="help-open"
          aria-label={t("help.title")}
          title={t("help.title")}
          onClick={() => change({ helpOpen: true })}
        >
          <Icon name="help" />
        </button>
        <button
          type="button"
          className="iconbtn"
          data-testid="sign-out"
          aria-label={t("session.signOut")}
          title={t("session.signOut")}
          onClick={onSignOut}
        >
          <Icon name="out" />
        </button>
      </div>
    </header>
  );
}
