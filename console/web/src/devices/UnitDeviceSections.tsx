// The inspector's parts that speak of a unit's devices and to them; only for those who may see devices.
import { useDesk } from "../state/desk";
import { mayCommand } from "../state/roles";
import { Messages } from "./Messages";
import { UnitDevices, useUnitDevices } from "./UnitDevices";

function Sections({ unitId }: { unitId: number }) {
  const { data, again } = useUnitDevices(unitId);
  if (!data) return null;
  return (
    <>
      <UnitDevices reply={data} onChanged={again} />
      {data.devices.length === 0 ? null : <Messages unitId={unitId} devices={data.devices} />}
    </>
  );
}

export function UnitDeviceSections({ unitId }: { unitId: number }) {
  const { role } = useDesk();
  return mayCommand(role) ? <Sections key={unitId} unitId={unitId} /> : null;
}
