// The sharing of one's own place: watched while the switch is on, kept in order, sent one after another.
import type { PositionReport } from "../wire.generated";
import { FixQueue } from "./fixQueue";
import type { Shelf } from "./keeper";
import { Locator, reportOf } from "./locator";
import { Pump, type Turn } from "./pump";
import type { Place } from "./route";
import { sendFix } from "./send";
import type { SharingFacts } from "./sharing";

const CALM_FIX_MS = 5000;
/** A little less than the second between beats, so that no beat is missed by a hair. */
const BUSY_FIX_MS = 900;
/** The longest rest between attempts to send. */
const LONGEST_WAIT_MS = 8000;
const KEY = "sharing";

export interface PlaceWishes {
  /** The server's clock less the phone's. */
  offsetMs(): number;
  /** On the way to a task: a fix each second. */
  isBusy(): boolean;
  onChange(): void;
}

export class PlaceDesk {
  sentAtMs: number | null = null;
  private readonly fixes: FixQueue;
  private readonly pump = new Pump(() => this.sendNext(), LONGEST_WAIT_MS);
  private readonly locator: Locator;
  private on = false;
  private stopped = false;
  private sinceMs = 0;
  private collectedAtMs = 0;
  private collectedFixMs = 0;
  private refusal = "";

  constructor(
    private readonly shelf: Shelf,
    private readonly wishes: PlaceWishes,
  ) {
    this.fixes = new FixQueue(shelf);
    this.locator = new Locator(() => {
      this.collect();
      wishes.onChange();
    });
  }

  /** Go on where this account left off: sharing only if it was switched on and not signed out since. */
  start(): void {
    void this.locator.look();
    if (this.shelf.get(KEY) === "1") this.share();
    this.pump.now();
  }

  /** Stop at once; what is unsent stays kept. */
  stop(): void {
    this.on = false;
    this.stopped = true;
    this.locator.stop();
  }

  /** The officer's switch; it is remembered. */
  set(wanted: "on" | "off"): void {
    if (wanted === "on") this.share();
    else {
      this.on = false;
      this.locator.stop();
      this.shelf.remove(KEY);
    }
  }

  private share(): void {
    this.on = true;
    this.sinceMs = Date.now();
    this.refusal = "";
    this.shelf.set(KEY, "1");
    this.locator.start();
  }

  /** Once a second. */
  beat(): void {
    if (this.on) this.locator.nudge();
    this.collect();
    this.pump.soon();
  }

  /** The network came back. */
  hurry(): void {
    this.pump.now();
  }

  /** The page came back: only from now on may a fix be missed. */
  seen(): void {
    this.sinceMs = Date.now();
    this.pump.now();
  }

  /** One place for a call for help, if the browser gives it without asking; null after `patienceMs`. */
  async once(patienceMs: number): Promise<PositionReport | null> {
    const fix = await this.locator.once(patienceMs);
    return fix ? this.report(fix) : null;
  }

  get isAwake(): boolean {
    return this.locator.isAwake;
  }

  get batteryRatio(): number | null {
    return this.locator.batteryRatio;
  }

  /** Where the phone is, while it is shared. */
  get me(): Place | null {
    const fix = this.on ? this.locator.fix : null;
    return fix ? [fix.coords.longitude, fix.coords.latitude] : null;
  }

  facts(): SharingFacts {
    const fix = this.on ? this.locator.fix : null;
    return {
      on: this.on,
      permission: this.locator.permission,
      sinceMs: this.sinceMs,
      fixAtMs: fix?.timestamp ?? null,
      accuracyM: fix?.coords.accuracy ?? null,
      keptCount: this.fixes.length,
      isOffline: this.pump.isStuck || !navigator.onLine,
      refusal: this.refusal,
    };
  }

  private report(fix: GeolocationPosition): PositionReport {
    return reportOf(fix, this.wishes.offsetMs(), this.locator.batteryRatio);
  }

  /** Keep the newest fix if one is due: each second on the way, each five else. */
  private collect(): void {
    const { fix } = this.locator;
    if (!this.on || !fix || fix.timestamp === this.collectedFixMs) return;
    const everyMs = this.wishes.isBusy() ? BUSY_FIX_MS : CALM_FIX_MS;
    if (Date.now() - this.collectedAtMs < everyMs) return;
    this.collectedAtMs = Date.now();
    this.collectedFixMs = fix.timestamp;
    this.fixes.push(this.report(fix));
    this.pump.soon();
  }

  private async sendNext(): Promise<Turn> {
    const [fix] = this.fixes.head(1);
    if (!fix || this.stopped) return "done";
    if (!navigator.onLine) return "later";
    const outcome = await sendFix(fix);
    if (outcome.became === "later") return "later";
    this.fixes.taken([fix]);
    if (outcome.became === "taken") {
      this.sentAtMs = Date.now();
      this.refusal = "";
    } else this.refusal = outcome.error.detail || outcome.error.key;
    this.wishes.onChange();
    return this.fixes.length > 0 ? "more" : "done";
  }
}
