// Left, below: the figures of the plan that is looked at.
import { figure, percent, THIN_SPACE, UNKNOWN_FIGURE } from "../format/figures";
import { useText } from "../state/useText";
import type { Plan, Programme } from "../wire.generated";
import { figuresOf } from "./planFigures";

const minutes = (s: number | null): string => (s === null ? UNKNOWN_FIGURE : figure(s / 60));
const share = (ratio: number | null): string =>
  ratio === null ? UNKNOWN_FIGURE : `${percent(ratio, ratio < 1 && ratio > 0.99 ? 1 : 0)}${THIN_SPACE}%`;
const LOW_LANDING = 0.25;

export function FigureList({ plan, programme }: { plan: Plan; programme: Programme }) {
  const t = useText();
  const of = figuresOf(plan, programme);
  const against = plan.sorties.filter((sortie) => sortie.is_refused).length;
  const asked = of.askedRevisitS === null ? "" : ` / ${minutes(of.askedRevisitS)}`;
  const isLate = of.longestRevisitS !== null && of.askedRevisitS !== null && of.longestRevisitS > of.askedRevisitS;
  const lines: readonly (readonly [string, string, boolean, string?])[] = [
    [t("plan.figure.sorties"), t("plan.figure.sortiesValue", { n: of.sortieCount, refused: of.refusedCount }), false],
    ...(against ? [[t("plan.figure.against"), String(against), true] as const] : []),
    [t("plan.figure.hours"), `${figure(of.flyingH, 1)}${THIN_SPACE}h`, false],
    [t("plan.figure.watched"), share(of.watchedRatio), of.watchedRatio !== null && of.watchedRatio < 0.9995],
    [t("plan.figure.revisit"), `${minutes(of.longestRevisitS)}${THIN_SPACE}min`, isLate, asked],
    [t("plan.figure.conflicts"), String(of.conflictCount), of.conflictCount > 0],
    [
      t("plan.figure.landing"),
      share(of.lowestLandingRatio),
      of.lowestLandingRatio !== null && of.lowestLandingRatio < LOW_LANDING,
    ],
    [t("plan.figure.ground"), plan.terrain || t("plan.figure.flat"), false],
  ];
  return (
    <section className="planfigures" aria-label={t("plan.figures")} data-testid="plan-figures">
      <div className="h">{t("plan.figures")}</div>
      <dl>
        {lines.map(([name, value, isOff, beside]) => (
          <div key={name} className="row">
            <dt className="f13 t2">{name}</dt>
            <span className="sp" />
            <dd className={`f13 num ell ${isOff ? "c-attn" : ""}`}>
              {value}
              {beside ? <span className="t3">{beside}</span> : null}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
