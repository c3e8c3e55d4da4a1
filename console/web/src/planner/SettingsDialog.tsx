// What holds for the whole programme: its time zone, public holidays, the rule set and what differs from it, with sources.
import { useEffect, useRef, useState } from "react";
import { type Language, nameIn, type Translate } from "../i18n/text";
import { type TextKey, zh } from "../i18n/zh";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { ProgrammeReply, RuleView } from "../wire.generated";
import { setSettings } from "./acts";
import { isZone } from "./days";
import { DaysRow, TextRow } from "./fields";
import { changePlanDesk, usePlanDesk } from "./planDesk";
import { problemText } from "./words";

type Value = number | string | boolean;
type Changes = Readonly<Record<string, Readonly<Record<string, Value>>>>;

interface RuleProps {
  readonly rule: RuleView;
  readonly changed: Readonly<Record<string, Value>>;
  readonly mayChange: boolean;
  readonly onChange: (name: string, value: Value) => void;
  readonly onReset: () => void;
}

/** A rule's value in words; one that this screen does not know is shown by its name. */
function wordOf(t: Translate, name: string): string {
  if (name === "level") return t("plan.level");
  return `plan.rule.${name}` in zh ? t(`plan.rule.${name}` as TextKey) : name;
}

const LEVELS = ["refuse", "warn", "off"] as const;

function RuleValue({
  rule,
  name,
  value,
  mayChange,
  onChange,
}: Omit<RuleProps, "changed" | "onReset"> & { name: string; value: Value }) {
  const t = useText();
  const label = `${rule.rule_id} ${wordOf(t, name)}`;
  if (name === "level")
    return (
      <select
        className="field s"
        aria-label={label}
        disabled={!mayChange}
        value={String(value)}
        onChange={(event) => onChange(name, event.target.value)}
      >
        {LEVELS.map((level) => (
          <option key={level} value={level}>
            {t(`plan.level.${level}`)}
          </option>
        ))}
      </select>
    );
  if (typeof value === "boolean")
    return (
      <input
        type="checkbox"
        aria-label={label}
        disabled={!mayChange}
        checked={value}
        onChange={(event) => onChange(name, event.target.checked)}
      />
    );
  return (
    <input
      className="field s num"
      aria-label={label}
      disabled={!mayChange}
      defaultValue={String(value)}
      onBlur={(event) => {
        const next = typeof value === "number" ? Number(event.target.value) : event.target.value;
        if (next !== value && !Number.isNaN(next)) onChange(name, next);
        else event.target.value = String(value);
      }}
    />
  );
}

/** Who says so, in the person's language. */
const sourceIn = (language: Language, said: { source: string; source_zh: string }): string =>
  language === "zh" ? said.source_zh : said.source;

function Rule({ rule, changed, mayChange, onChange, onReset }: RuleProps) {
  const t = useText();
  const { language } = useSettings();
  const isChanged = Object.keys(changed).length > 0;
  const values = Object.entries({ ...rule.values, ...changed });
  return (
    <li className={isChanged ? "changedrule" : ""}>
      <div className="row">
        <span className="f12 t3 num nw">{rule.rule_id}</span>
        <b className="f13 ell">{nameIn(language, rule)}</b>
        <span className="sp" />
        {isChanged && mayChange ? (
          <button type="button" className="btn s ghost" onClick={onReset}>
            {t("plan.resetRule")}
          </button>
        ) : null}
      </div>
      <div className="rulevalues">
        {values.map(([name, value]) => (
          <div key={name} className="f12 t2">
            <span className="ell" title={name}>
              {wordOf(t, name)}
            </span>
            <RuleValue rule={rule} name={name} value={value} mayChange={mayChange} onChange={onChange} />
          </div>
        ))}
      </div>
      {rule.source ? <p className="f12 t3">{t("plan.ruleSource", { source: sourceIn(language, rule) })}</p> : null}
    </li>
  );
}

function Form({ reply }: { reply: ProgrammeReply }) {
  const t = useText();
  const { language } = useSettings();
  const { busy, problem } = usePlanDesk();
  const [zone, setZone] = useState(reply.programme.zone);
  const [holidays, setHolidays] = useState<readonly string[]>(reply.programme.holidays);
  const [ruleSet, setRuleSet] = useState(reply.rule_set);
  const [rules, setRules] = useState<Changes>(reply.programme.rules);
  const mayChange = reply.is_managed;
  const isSame = ruleSet === reply.rule_set;
  const shownSet = reply.rule_sets.find((each) => each.name === ruleSet);
  const keep = async (): Promise<void> => {
    const wish = { zone, holidays: [...holidays], rule_set: ruleSet, rules: rules as never, version: reply.version };
    if (await setSettings(wish)) changePlanDesk({ dialog: "none" });
  };
  return (
    <>
      <div className="settingsbody">
        <div className="form">
          <div className="two">
            <TextRow
              name="zone"
              label={t("plan.f.zone")}
              hint={isZone(zone) ? undefined : t("plan.zoneUnknown")}
              options={Intl.supportedValuesOf("timeZone")}
              value={zone}
              onChange={setZone}
            />
            <label>
              {t("plan.f.rule_set")}
              <select
                className="field"
                disabled={!mayChange}
                data-testid="rule-set"
                value={ruleSet}
                onChange={(event) => setRuleSet(event.target.value)}
              >
                {reply.rule_sets.map((each) => (
                  <option key={each.name} value={each.name}>
                    {nameIn(language, each)}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <DaysRow
            name="holidays"
            label={t("plan.f.holiday_dates")}
            hint={t("plan.daysHint")}
            days={holidays}
            onChange={setHolidays}
          />
          <p className="f12 t3" data-testid="rule-source">
            {shownSet ? sourceIn(language, shownSet) : null}
          </p>
        </div>
        {isSame ? (
          <ul className="rules" data-testid="rules">
            {reply.rules.map((rule) => (
              <Rule
                key={rule.rule_id}
                rule={rule}
                changed={rules[rule.rule_id] ?? {}}
                mayChange={mayChange}
                onChange={(name, value) =>
                  setRules({ ...rules, [rule.rule_id]: { ...rules[rule.rule_id], [name]: value } })
                }
                onReset={() =>
                  setRules(Object.fromEntries(Object.entries(rules).filter(([id]) => id !== rule.rule_id)))
                }
              />
            ))}
          </ul>
        ) : (
          <p className="f13 t3 hint">{t("plan.rulesAfterKeep")}</p>
        )}
      </div>
      {problem ? (
        <p className="f13 c-alarm" role="alert">
          {problemText(t, problem)}
        </p>
      ) : null}
      <div className="row">
        <button type="button" className="btn" onClick={() => changePlanDesk({ dialog: "none" })}>
          {t(mayChange ? "plan.cancel" : "help.close")}
        </button>
        <span className="sp" />
        {mayChange ? (
          <button
            type="button"
            className="btn pri"
            data-testid="settings-keep"
            disabled={busy !== "" || !isZone(zone)}
            onClick={() => void keep()}
          >
            {t("plan.keep")}
          </button>
        ) : (
          <span className="f12 t3">{t("plan.wholeForceOnly")}</span>
        )}
      </div>
    </>
  );
}

export function SettingsDialog() {
  const t = useText();
  const { dialog, programme } = usePlanDesk();
  const box = useRef<HTMLDialogElement>(null);
  const isOpen = dialog === "settings";
  useEffect(() => {
    if (isOpen) box.current?.showModal();
    else box.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={box}
      className="settingsdialog"
      aria-labelledby="settings-title"
      data-testid="settings-dialog"
      onClose={() => changePlanDesk({ dialog: "none" })}
    >
      <h2 id="settings-title">{t("plan.settings")}</h2>
      {isOpen && programme ? <Form key={programme.version} reply={programme} /> : null}
    </dialog>
  );
}
