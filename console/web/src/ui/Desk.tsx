// The desk: the operator's and the supervisor's screen round one map, for desks and for phones.
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { DevicesPage } from "../devices/DevicesPage";
import { answerDeviceKey } from "../devices/keys";
import { GeofencesPage } from "../geofences/GeofencesPage";
import { answerFenceKey } from "../geofences/keys";
import { nameIn } from "../i18n/text";
import { LinksPage } from "../links/LinksPage";
import { live } from "../live/live";
import { answerFlightKey } from "../operator/keys";
import { answerPlanKey } from "../planner/keys";
import { PlanPage } from "../planner/PlanPage";
import { selectUnit } from "../state/actions";
import { changeDesk, useDesk } from "../state/desk";
import { loadPlaces, usePlaces } from "../state/places";
import { screenOf, screensOf } from "../state/roles";
import { allRows, countsOf } from "../state/rows";
import { type Screen, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { Kpis } from "../supervisor/Kpis";
import { answerScreenKey, answerSupervisorKey, showScreen } from "../supervisor/keys";
import { ReportDialog } from "../supervisor/ReportDialog";
import { RightPanel } from "../supervisor/RightPanel";
import { Stations } from "../supervisor/Stations";
import { Strip } from "../supervisor/Strip";
import { screenDigit } from "../supervisor/screenDigit";
import { useDeskWork } from "../supervisor/useDeskWork";
import type { SessionReply } from "../wire.generated";
import { AlarmDrawer } from "./AlarmDrawer";
import { Announcer } from "./Announcer";
import { CoverPanel } from "./CoverPanel";
import { HelpDialog } from "./HelpDialog";
import { Inspector } from "./Inspector";
import { Icon } from "./icons";
import { KpiStrip } from "./KpiStrip";
import { answerKey } from "./keyboard";
import { LiveState } from "./LiveState";
import { unitBeside } from "./listItems";
import { MapPane } from "./MapPane";
import { PhoneScreen, UrgentAlarm } from "./PhoneScreen";
import { TopBar } from "./TopBar";
import { UnitPanel, UnitRail, useListItems } from "./UnitList";

const PHONE = globalThis.matchMedia("(max-width: 767px)");

function usePhone(): boolean {
  return useSyncExternalStore(
    (listener) => {
      PHONE.addEventListener("change", listener);
      return () => PHONE.removeEventListener("change", listener);
    },
    () => PHONE.matches,
  );
}

function useWanted(): void {
  const { selectedId } = useSettings();
  const { unitsVersion } = useLive();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of the units' names asks anew
  useEffect(() => {
    const drones = [...live.store.meta.values()].filter((unit) => unit.kind === "drone").map((unit) => unit.unit_id);
    const wanted = new Set(selectedId === null ? drones : [selectedId, ...drones]);
    live.want([...wanted].slice(0, 64));
  }, [selectedId, unitsVersion]);
}

/** On a phone a page has its name and the way back instead of the top bar. */
function PageBar({ screen }: { screen: Screen }) {
  const t = useText();
  return (
    <header className="top">
      <button type="button" className="btn s ghost" data-testid="page-back" onClick={() => showScreen("operator")}>
        <Icon name="left" size={14} /> {t("tabs.map")}
      </button>
      <h1 className="f13">{t(`app.${screen}`)}</h1>
      <span className="sp" />
      <LiveState brief />
    </header>
  );
}

export interface DeskProps {
  readonly session: SessionReply;
  readonly onSignOut: () => void;
}

export function Desk({ session, onSignOut }: DeskProps) {
  const phone = usePhone();
  const { language, selectedId, listCollapsed, screen: chosen } = useSettings();
  const screen = screenOf(session.role, chosen);
  const isSupervising = screen === "supervisor" && !phone;
  const { tucked } = useDesk();
  const summary = useLive();
  const { stations, city } = usePlaces();
  const t = useText();
  const [loaded, setLoaded] = useState(false);
  const rows = useMemo(() => allRows(live.store, stations, summary, language), [summary, stations, language]);
  const counts = useMemo(() => countsOf(rows), [rows]);
  const items = useListItems(rows, phone ? 60 : 44);
  useWanted();
  useDeskWork(session, isSupervising || phone);

  useEffect(() => {
    live.start();
    void loadPlaces().then(() => setLoaded(true));
    return () => live.stop();
  }, []);

  useEffect(() => {
    const screens = screensOf(session.role);
    const own = (key: string): boolean =>
      (isSupervising && answerSupervisorKey(key)) ||
      (screen === "operator" && answerFlightKey(key)) ||
      (screen === "plan" && answerPlanKey(key)) ||
      (screen === "devices" && answerDeviceKey(key)) ||
      (screen === "geofences" && answerFenceKey(key)) ||
      (!phone && answerScreenKey(key, screens)) ||
      (screen === "links" && key !== "?" && key !== " ");
    const onKey = (event: KeyboardEvent): void => {
      const digit = phone || document.querySelector("dialog[open]") ? null : screenDigit(event);
      if (digit !== null && answerScreenKey(digit, screens)) event.preventDefault();
      else answerKey(event, items, own);
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  }, [items, isSupervising, screen, phone, session.role]);

  const onSearchEnter = (): void => {
    const first = unitBeside(items, null, 1);
    if (first !== null) selectUnit(first);
  };
  const common = (
    <>
      <Announcer counts={counts} />
      <HelpDialog screen={screen === "supervisor" && phone ? "operator" : screen} />
    </>
  );
  const page =
    screen === "devices" ? (
      <DevicesPage />
    ) : screen === "links" ? (
      <LinksPage />
    ) : screen === "geofences" ? (
      <GeofencesPage session={session} />
    ) : screen === "plan" ? (
      <PlanPage session={session} />
    ) : null;
  if (page) {
    return (
      <div className={`app paged ${phone ? "onphone" : ""}`} data-testid={screen} data-loaded={loaded}>
        {phone ? (
          <PageBar screen={screen} />
        ) : (
          <TopBar
            session={session}
            cityName={city ? nameIn(language, city) : ""}
            onSignOut={onSignOut}
            onSearchEnter={onSearchEnter}
          />
        )}
        <UrgentAlarm />
        {page}
        {common}
      </div>
    );
  }
  if (phone) {
    return (
      <>
        <PhoneScreen
          session={session}
          items={items}
          counts={counts}
          rows={rows}
          onSignOut={onSignOut}
          onSearchEnter={onSearchEnter}
        />
        {common}
      </>
    );
  }
  const drawer = isSupervising ? (
    <button
      type="button"
      className="btn s drawerbtn tuck"
      aria-expanded={!tucked}
      data-testid="drawer-toggle"
      onClick={() => changeDesk({ tucked: !tucked })}
    >
      {t("incident.title")} <Icon name={tucked ? "left" : "right"} size={14} />
    </button>
  ) : null;
  const units = listCollapsed ? <UnitRail counts={counts} /> : <UnitPanel items={items} counts={counts} />;
  const details = selectedId === null ? <CoverPanel rows={rows} /> : <Inspector unitId={selectedId} />;
  const left = isSupervising ? <Stations /> : units;
  const right = isSupervising ? <RightPanel /> : details;
  return (
    <div
      className={`app ${isSupervising ? `supervisor ${tucked ? "tucked" : ""}` : listCollapsed ? "narrow" : ""}`}
      data-testid={screen}
      data-loaded={loaded}
    >
      <a className="skip" href={isSupervising ? "#incident" : "#unit-list"}>
        {t(isSupervising ? "sup.skip" : "app.skip")}
      </a>
      <TopBar
        session={session}
        cityName={city ? nameIn(language, city) : ""}
        onSignOut={onSignOut}
        onSearchEnter={onSearchEnter}
      />
      {isSupervising ? <Kpis counts={counts} rows={rows} /> : <KpiStrip counts={counts} />}
      <main className="main">
        {left}
        <div className="middle">
          <MapPane screen={screen} />
          {isSupervising ? <Strip /> : <AlarmDrawer />}
        </div>
        {right}
      </main>
      {drawer}
      {isSupervising ? <ReportDialog /> : null}
      {common}
    </div>
  );
}
