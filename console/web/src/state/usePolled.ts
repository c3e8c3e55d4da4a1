// Something of the server that is asked again and again while it is looked at; the last answer stays when one fails.
import { useCallback, useEffect, useRef, useState } from "react";
import { get, RequestError } from "../api/client";

export interface Polled<T> {
  readonly data: T | null;
  readonly error: RequestError | null;
  /** Ask now, and once more after a moment: what was just written is in the registry by then. */
  readonly again: () => void;
}

const SOON_MS = 300;

/** Ask `path` (null: not at all) every `everyMs`; not while the page is hidden. */
export function usePolled<T>(path: string | null, everyMs: number): Polled<T> {
  const [found, setFound] = useState<{ path: string; data: T } | null>(null);
  const [error, setError] = useState<RequestError | null>(null);
  const ask = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === null) return;
    let over = false;
    const read = async (): Promise<void> => {
      try {
        const data = await get<T>(path);
        if (over) return;
        setFound({ path, data });
        setError(null);
      } catch (failure) {
        if (!(failure instanceof RequestError)) throw failure;
        if (!over) setError(failure);
      }
    };
    ask.current = () => void read();
    void read();
    const timer = setInterval(() => {
      if (!document.hidden) void read();
    }, everyMs);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [path, everyMs]);

  const again = useCallback(() => {
    ask.current();
    setTimeout(() => ask.current(), SOON_MS);
  }, []);
  return { data: found?.path === path ? found.data : null, error, again };
}
