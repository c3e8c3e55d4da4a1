// The operator's screen, for desks and for phones.
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { nameIn } from "../i18n/text";
import { live } from "../live/live";
import { selectUnit } from "../state/actions";
import { loadPlaces, usePlaces } from "../state/places";
import { allRows, countsOf } from "../state/rows";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { SessionReply } from "../wire.generated";
import { AlarmDrawer } from "./AlarmDrawer";
import { Announcer } from "./Announcer";
import { CoverPanel } from "./CoverPanel";
import { HelpDialog } from "./HelpDialog";
import { Inspector } from "./Inspector";
import { KpiStrip } from "./KpiStrip";
import { answerKey } from "./keyboard";
import { unitBeside } from "./listItems";
import { MapPane } from "./MapPane";
import { PhoneScreen } from "./PhoneScreen";
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

export interface OperatorProps {
  readonly session: SessionReply;
  readonly onSignOut: () => void;
}

export function Operator({ session, onSignOut }: OperatorProps) {
  const phone = usePhone();
  const { language, selectedId, listCollapsed } = useSettings();
  const summary = useLive();
  const { stations, city } = usePlaces();
  const t = useText();
  const [loaded, setLoaded] = useState(false);
  const rows = useMemo(() => allRows(live.store, stations, summary, language), [summary, stations, language]);
  const counts = useMemo(() => countsOf(rows), [rows]);
  const items = useListItems(rows, phone ? 60 : 44);
  useWanted();

  useEffect(() => {
    live.start();
    void loadPlaces().then(() => setLoaded(true));
    return () => live.stop();
  }, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => answerKey(event, items);
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  }, [items]);

  const onSearchEnter = (): void => {
    const first = unitBeside(items, null, 1);
    if (first !== null) selectUnit(first);
  };
  const common = (
    <>
      <Announcer counts={counts} />
      <HelpDialog />
    </>
  );
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
  return (
    <div className={`app ${listCollapsed ? "narrow" : ""}`} data-testid="operator" data-loaded={loaded}>
      <a className="skip" href="#unit-list">
        {t("app.skip")}
      </a>
      <TopBar
        session={session}
        cityName={city ? nameIn(language, city) : ""}
        onSignOut={onSignOut}
        onSearchEnter={onSearchEnter}
      />
      <KpiStrip counts={counts} />
      <main className="main">
        {listCollapsed ? <UnitRail counts={counts} /> : <UnitPanel items={items} counts={counts} />}
        <div className="middle">
          <MapPane />
          <AlarmDrawer />
        </div>
        {selectedId === null ? <CoverPanel rows={rows} /> : <Inspector unitId={selectedId} />}
      </main>
      {common}
    </div>
  );
}
