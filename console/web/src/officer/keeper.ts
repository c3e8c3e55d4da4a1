// Keeps what must outlive a reload in the browser's local storage; where that is refused, in memory for this visit.

/** Words by key; the part of Storage that is needed here. */
export interface Shelf {
  keys(): string[];
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
}

/** A shelf in memory: for tests, and where the browser has none. */
export class MemoryShelf implements Shelf {
  private readonly entries = new Map<string, string>();

  keys(): string[] {
    return [...this.entries.keys()];
  }

  get(key: string): string | null {
    return this.entries.get(key) ?? null;
  }

  set(key: string, value: string): void {
    this.entries.set(key, value);
  }

  remove(key: string): void {
    this.entries.delete(key);
  }
}

/** Local storage under a prefix. What the browser refuses to keep (full, switched off) stays in memory. */
export class LocalShelf implements Shelf {
  private readonly spare = new MemoryShelf();

  constructor(private readonly prefix: string) {}

  keys(): string[] {
    const found = new Set(this.spare.keys());
    const all = attempt(() => Object.keys(localStorage)) ?? [];
    for (const key of all) if (key.startsWith(this.prefix)) found.add(key.slice(this.prefix.length));
    return [...found];
  }

  get(key: string): string | null {
    return this.spare.get(key) ?? attempt(() => localStorage.getItem(this.prefix + key));
  }

  set(key: string, value: string): void {
    const kept = attempt(() => {
      localStorage.setItem(this.prefix + key, value);
      return true;
    });
    if (kept) this.spare.remove(key);
    else this.spare.set(key, value);
  }

  remove(key: string): void {
    this.spare.remove(key);
    attempt(() => localStorage.removeItem(this.prefix + key));
  }
}

function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/** What a kept text says; null where it is none of ours any more. */
export function readKept<T>(text: string | null): T | null {
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
