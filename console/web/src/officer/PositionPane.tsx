// My position: how the sharing stands, in large words, the switch, and what was sent.
import { age, figure, measure, percent } from "../format/figures";
import { useText } from "../state/useText";
import { DutyRow } from "./DutyRow";
import { officer } from "./desk";
import { toneOfSharing } from "./sharing";
import { sharingSentence, sharingWord } from "./texts";
import { useOfficer } from "./useOfficer";

const STEPS = ["officer.share.deniedStep1", "officer.share.deniedStep2", "officer.share.deniedStep3"] as const;

function HowToAllow() {
  const t = useText();
  return (
    <ol className="osteps" data-testid="how-to-allow">
      {STEPS.map((step) => (
        <li key={step}>{t(step)}</li>
      ))}
    </ol>
  );
}

/** The large card: state, sentence, the one switch. */
export function SharingCard() {
  const summary = useOfficer();
  const t = useText();
  const { sharing, facts } = summary;
  const tone = toneOfSharing(sharing);
  const mayRetry = facts.on && (sharing === "denied" || sharing === "noFix" || sharing === "refused");
  return (
    <section className={`ocard ${tone} ${sharing}`} data-testid="sharing" data-state={sharing}>
      <h2 className="f13 t2">{t("officer.share.title")}</h2>
      <p className="obig">
        <i className="omark" aria-hidden="true" />
        {sharingWord(summary, t)}
      </p>
      <p className="t2">{sharingSentence(summary, t)}</p>
      {sharing === "denied" ? <HowToAllow /> : null}
      <div className="ocardrow">
        {mayRetry ? (
          <button type="button" className="btn" data-testid="share-retry" onClick={() => officer.setSharing("on")}>
            {t("officer.share.retry")}
          </button>
        ) : null}
        <button
          type="button"
          role="switch"
          aria-checked={facts.on}
          className={`btn oswitch ${facts.on ? "" : "pri"}`}
          data-testid="share-switch"
          disabled={sharing === "unsupported"}
          onClick={() => officer.setSharing(facts.on ? "off" : "on")}
        >
          {t(facts.on ? "officer.share.stop" : "officer.share.on")}
        </button>
      </div>
    </section>
  );
}

function Details() {
  const { facts, sentAtMs, isAwake, nowMs, batteryRatio } = useOfficer();
  const t = useText();
  const ago = (atMs: number | null): string =>
    atMs === null ? t("officer.share.never") : t("officer.share.ago", { age: age(Math.max(0, nowMs - atMs), t) });
  return (
    <dl className="kv okv" data-testid="sharing-details">
      <dt>{t("officer.share.accuracy")}</dt>
      <dd className="num">{facts.accuracyM === null ? figure(null) : `±${measure(facts.accuracyM, "m")}`}</dd>
      <dt>{t("officer.share.fix")}</dt>
      <dd className="num">{ago(facts.fixAtMs)}</dd>
      <dt>{t("officer.share.sent")}</dt>
      <dd className="num">{ago(sentAtMs)}</dd>
      <dt>{t("officer.share.kept")}</dt>
      <dd className="num">{t("officer.share.points", { n: facts.keptCount })}</dd>
      <dt>{t("officer.share.awake")}</dt>
      <dd>{t(isAwake ? "officer.share.awakeOn" : "officer.share.awakeOff")}</dd>
      <dt>{t("officer.share.battery")}</dt>
      <dd className="num">{batteryRatio === null ? figure(null) : `${percent(batteryRatio, 0)}\u2009%`}</dd>
    </dl>
  );
}

export function PositionPane({ unitId }: { unitId: number | null }) {
  const { facts } = useOfficer();
  const t = useText();
  return (
    <div className="opane" data-testid="position-pane">
      <SharingCard />
      {facts.on ? <Details /> : null}
      <DutyRow unitId={unitId} />
      <p className="f13 t3">{t("officer.share.hidden")}</p>
    </div>
  );
}
