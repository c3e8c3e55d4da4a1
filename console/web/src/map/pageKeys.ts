// The keys of a page that has a map of its own: which of them the map keeps, and which are left to the keys of all screens.

/** While the map has the focus these move it, and end what is being drawn. */
const OF_MAP: ReadonlySet<string> = new Set([
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "+",
  "-",
  "=",
  "Enter",
]);
const SHARED: ReadonlySet<string> = new Set(["?", " ", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);

/** Answer a key with a page's own acts; only help, screens and taking an alarm are left to the keys of all screens. */
export function answerPageKey(key: string, acts: Readonly<Record<string, () => void>>): boolean {
  if (OF_MAP.has(key) && document.activeElement?.closest(".fencemap")) return true;
  acts[key]?.();
  return key in acts || (key.length === 1 && !SHARED.has(key));
}
