// A map that is made once its page is shown: loaded when it is needed, as large as its box, gone with it; a network's silence is told.
import { useCallback, useEffect, useRef, useState } from "react";
import { RequestError } from "../api/client";

export interface PageMap {
  /** Kept once its first picture can be drawn, where it says when. */
  readonly ready?: Promise<void>;
  resize(): void;
  remove(): void;
}

export interface MadeMap<M> {
  readonly box: React.RefObject<HTMLDivElement | null>;
  readonly map: M | null;
  readonly error: RequestError | null;
  readonly retry: () => void;
}

type Make<M, Look> = (box: () => HTMLElement | null, look: () => Look) => Promise<M | null>;

/** Make a map in `box`, beginning with the newest look; the box that `make` asks for is null once its page is gone. */
export function useMadeMap<M extends PageMap, Look>(make: Make<M, Look>, look: Look): MadeMap<M> {
  const box = useRef<HTMLDivElement>(null);
  const newest = useRef({ make, look });
  newest.current = { make, look };
  const [map, setMap] = useState<M | null>(null);
  const [error, setError] = useState<RequestError | null>(null);
  const [attempt, setAttempt] = useState(0);
  const retry = useCallback((): void => {
    setError(null);
    setAttempt((n) => n + 1);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt mounts the map anew
  useEffect(() => {
    let made: M | null = null;
    let gone = false;
    const resized = new ResizeObserver(() => made?.resize());
    const mount = async (): Promise<void> => {
      made = await newest.current.make(
        () => (gone ? null : box.current),
        () => newest.current.look,
      );
      if (made && box.current) resized.observe(box.current);
      await made?.ready;
      if (!gone) setMap(made);
    };
    mount().catch((failure: unknown) => {
      // A part of the page that does not come is a TypeError: the same silence of the network.
      const silence = failure instanceof TypeError ? new RequestError(0, "error.network") : failure;
      if (!(silence instanceof RequestError)) throw failure;
      if (!gone) setError(silence);
    });
    return () => {
      gone = true;
      resized.disconnect();
      setMap(null);
      made?.remove();
    };
  }, [attempt]);
  return { box, map, error, retry };
}
