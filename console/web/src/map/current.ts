// The map that is on the screen now, for actions that reach it from outside React.
import type { OperationsMap } from "./operationsMap";

let current: OperationsMap | null = null;

export const currentMap = (): OperationsMap | null => current;
export const setCurrentMap = (map: OperationsMap | null): void => {
  current = map;
};
