// What an operator needs of a drone beside its instruments: control, sortie, battery against the way home, orders, links, traffic.
import { useEffect } from "react";
import { get, RequestError } from "../api/client";
import { live } from "../live/live";
import type { UnitReading } from "../live/unitStore";
import { useDesk } from "../state/desk";
import { mayFly, maySeeFlights } from "../state/roles";
import { useLive } from "../state/useLive";
import { type FlightReply, type StatusView, UnitBit, type UnitMeta } from "../wire.generated";
import { ActionSection } from "./ActionSection";
import { BatteryHome } from "./BatteryHome";
import { ControlSection } from "./ControlSection";
import { DueSection } from "./DueSection";
import { homeDistanceM } from "./home";
import { RESERVE_RATIO } from "./homeward";
import { LinkWays } from "./LinkWays";
import { SortieSection } from "./SortieSection";
import { TrafficSection } from "./TrafficSection";

interface Shown {
  readonly meta: UnitMeta;
  readonly reading: UnitReading;
  readonly status: StatusView | null;
}

/** Read the flight once; after that the websocket tells. */
function useFlight(unitId: number, mayRead: boolean) {
  useLive();
  useEffect(() => {
    if (!mayRead) return;
    const read = (): void => {
      get<FlightReply>(`/api/flights/${unitId}`).then(
        (reply) => live.putFlight(reply.flight),
        (error: unknown) => {
          if (!(error instanceof RequestError)) throw error; // what the websocket told stays
        },
      );
    };
    read();
    return live.onRestart(read);
  }, [unitId, mayRead]);
  return live.flights.of(unitId);
}

export function FlightSections({ meta, reading, status }: Shown) {
  const { role } = useDesk();
  const flight = useFlight(meta.unit_id, maySeeFlights(role));
  const isAloft = (reading.bits & UnitBit.AIRBORNE) !== 0;
  return (
    <>
      {flight ? <ControlSection flight={flight} /> : null}
      <BatteryHome
        unitId={meta.unit_id}
        pct={reading.values.battery_pct}
        observedMs={reading.observedMs}
        homeM={homeDistanceM(flight, meta.unit_id)}
        reserveRatio={flight?.reserve_ratio ?? RESERVE_RATIO}
        isAloft={isAloft}
      />
      <SortieSection flight={flight} status={status} />
      <DueSection unitId={meta.unit_id} flight={flight} />
      <TrafficSection unitId={meta.unit_id} />
      {flight && mayFly(role) ? <ActionSection flight={flight} isAloft={isAloft} /> : null}
      {flight ? <LinkWays links={flight.links} /> : null}
    </>
  );
}
