// A button that must be held for 0.8 s or pressed twice: by finger, key or screen reader.
import { useEffect, useId, useRef, useState } from "react";
import { useText } from "../state/useText";
import { HOLD_MS, Hold, TWICE_MS } from "./hold";
import { signalDone } from "../officer/signals";

const PRESSES = new Set(["Enter", " "]);

export interface HoldButtonProps {
  readonly className: string;
  readonly testId: string;
  readonly onDone: () => void;
  /** It was pressed, for the first or the second time: what it will cost can be asked for. */
  readonly onBegin?: () => void;
  readonly disabled?: boolean;
  readonly children: React.ReactNode;
}

/** The machine behind the button: `share` is drawn while it is held. */
function useHold(onDone: () => void, draw: (share: number) => void) {
  const hold = useRef(new Hold());
  const frame = useRef(0);
  const [waits, setWaits] = useState(false);
  const done = useRef(onDone);
  done.current = onDone;

  useEffect(() => {
    if (!waits) return;
    const timer = setTimeout(() => setWaits(false), TWICE_MS);
    return () => clearTimeout(timer);
  }, [waits]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const finish = (): void => {
    cancelAnimationFrame(frame.current);
    draw(0);
    setWaits(false);
    signalDone();
    done.current();
  };
  const tick = (): void => {
    if (hold.current.held(performance.now())) finish();
    else {
      draw(hold.current.share(performance.now()));
      frame.current = requestAnimationFrame(tick);
    }
  };
  const rest = (): void => {
    cancelAnimationFrame(frame.current);
    draw(0);
    setWaits(hold.current.waitsForSecond(performance.now()));
  };
  return {
    waits,
    down: (): void => {
      cancelAnimationFrame(frame.current);
      if (hold.current.down(performance.now())) finish();
      else tick();
    },
    up: (): void => {
      hold.current.up(performance.now());
      rest();
    },
    cancel: (): void => {
      hold.current.cancel();
      rest();
    },
  };
}

export function HoldButton({ className, testId, onDone, onBegin, disabled, children }: HoldButtonProps) {
  const t = useText();
  const hint = useId();
  const button = useRef<HTMLButtonElement>(null);
  const figure = useRef<HTMLSpanElement>(null);
  const { waits, down, up, cancel } = useHold(onDone, (share) => {
    button.current?.style.setProperty("--held", String(share));
    if (figure.current) figure.current.textContent = share > 0 ? (((1 - share) * HOLD_MS) / 1000).toFixed(1) : "";
  });
  const begin = (): void => {
    onBegin?.();
    down();
  };
  return (
    <button
      ref={button}
      type="button"
      className={`hold ${className}`}
      data-testid={testId}
      disabled={disabled}
      aria-describedby={hint}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        begin();
      }}
      onPointerUp={up}
      onPointerCancel={cancel}
      onBlur={cancel}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!PRESSES.has(event.key)) return;
        event.preventDefault();
        if (!event.repeat) begin();
      }}
      onKeyUp={(event) => {
        if (!PRESSES.has(event.key)) return;
        event.preventDefault();
        up();
      }}
      onClick={(event) => {
        if (event.detail !== 0) return; // a finger's or a mouse's: told already
        begin();
        up();
      }}
    >
      {waits ? t("hold.again") : children}
      <span ref={figure} className="holdfigure num" aria-hidden="true" />
      <span id={hint} className="unseen">
        {t("hold.hint")}
      </span>
    </button>
  );
}
