// Which screen Alt and a digit ask for.

/** The digit of Alt+1 to Alt+9, by the key's place: with Alt some keyboards write another sign. */
export const screenDigit = (event: Pick<KeyboardEvent, "altKey" | "ctrlKey" | "metaKey" | "code">): string | null =>
  event.altKey && !event.ctrlKey && !event.metaKey ? (/^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1] ?? null) : null;
