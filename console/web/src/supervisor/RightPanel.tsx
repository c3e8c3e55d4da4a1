// What stands on the supervisor's right: an incident, a new call, the what-if, move-up advice, or a unit's details.
import { useDesk } from "../state/desk";
import { useSettings } from "../state/settings";
import { Inspector } from "../ui/Inspector";
import { IncidentPanel } from "./IncidentPanel";
import { MoveUpPanel } from "./MoveUpPanel";
import { NewCall } from "./NewCall";
import { WhatIfPanel } from "./WhatIfPanel";

export function RightPanel() {
  const { panel } = useDesk();
  const { selectedId } = useSettings();
  if (panel === "new") return <NewCall />;
  if (panel === "whatif") return <WhatIfPanel />;
  if (selectedId !== null) return <Inspector unitId={selectedId} />;
  return panel === "moveup" ? <MoveUpPanel /> : <IncidentPanel />;
}
