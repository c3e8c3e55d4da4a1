// The websocket skb1: opens it, says hello, comes back with jittered waits, at once when the network or the page returns.
import { PROTOCOL_VERSION, type Resume, type Subscribe, SUBPROTOCOL, type ToBrowser } from "../wire.generated";
import { backoffMs } from "./backoff";
import { decodeFrame, type Frame, FrameError } from "./frame";

/** Nothing for so long means that the line is dead although the socket seems open: snapshots come every 10 s. */
const SILENCE_LIMIT_MS = 14_000;
const SILENCE_CHECK_MS = 1000;

const CLOSED_SIGNED_OUT = 4401;
const CLOSED_FORBIDDEN = 4403;

export type ConnectionPhase = "connecting" | "live" | "lost" | "refused";

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** When the connection was lost (performance.now), null while it stands. */
  readonly lostAtMs: number | null;
  readonly attempts: number;
}

export interface ConnectionEvents {
  onFrame(frame: Frame): void;
  onMessage(message: ToBrowser): void;
  onState(state: ConnectionState): void;
  resume(): Resume | null;
  subscription(): Omit<Subscribe, "type">;
}

export class Connection {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private attempts = 0;
  private heardAtMs = 0;
  private stopped = true;
  private lostAtMs: number | null = null;

  constructor(
    private readonly url: string,
    private readonly events: ConnectionEvents,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    globalThis.addEventListener("online", this.hurry);
    globalThis.addEventListener("offline", this.drop);
    document.addEventListener("visibilitychange", this.hurry);
    this.watch = setInterval(() => this.checkSilence(), SILENCE_CHECK_MS);
    this.open();
  }

  stop(): void {
    this.stopped = true;
    globalThis.removeEventListener("online", this.hurry);
    globalThis.removeEventListener("offline", this.drop);
    document.removeEventListener("visibilitychange", this.hurry);
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.release();
  }

  /** Tell the server the view anew. */
  subscribe(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.send({ type: "sub", ...this.events.subscription() });
  }

  private send(message: unknown): void {
    this.socket?.send(JSON.stringify(message));
  }

  private open(): void {
    this.release();
    this.report("connecting");
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.greet();
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.hear(event.data);
    socket.onclose = (event) => this.closed(event.code);
    this.socket = socket;
    this.heardAtMs = performance.now();
  }

  private greet(): void {
    this.send({ type: "hello", v: PROTOCOL_VERSION, resume: this.events.resume() });
    this.subscribe();
  }

  private hear(data: string | ArrayBuffer): void {
    this.heardAtMs = performance.now();
    if (typeof data === "string") {
      const message = JSON.parse(data) as ToBrowser;
      if (message.type === "welcome") this.arrived();
      this.events.onMessage(message);
      return;
    }
    try {
      this.events.onFrame(decodeFrame(data));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.closed(0);
    }
  }

  private arrived(): void {
    this.attempts = 0;
    this.lostAtMs = null;
    this.report("live");
  }

  private closed(code: number): void {
    this.release();
    if (this.stopped) return;
    if (code === CLOSED_SIGNED_OUT || code === CLOSED_FORBIDDEN) {
      this.report("refused");
      return;
    }
    this.lostAtMs ??= performance.now();
    this.report("lost");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), backoffMs(this.attempts++, Math.random()));
  }

  private release(): void {
    const { socket } = this;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.socket = null;
  }

  private checkSilence(): void {
    if (this.socket && performance.now() - this.heardAtMs > SILENCE_LIMIT_MS) this.closed(0);
  }

  private hurry = (): void => {
    if (document.visibilityState !== "visible" || this.stopped || this.socket) return;
    clearTimeout(this.timer);
    this.attempts = 0;
    this.open();
  };

  private drop = (): void => {
    if (this.socket) this.closed(0);
  };

  private report(phase: ConnectionPhase): void {
    const shown = phase === "connecting" && this.lostAtMs !== null ? "lost" : phase;
    this.events.onState({ phase: shown, lostAtMs: this.lostAtMs, attempts: this.attempts });
  }
}
