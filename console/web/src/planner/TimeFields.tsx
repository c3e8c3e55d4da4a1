// When: windows one by one, and the recurrence as people say it.
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { HolidayUse, Recurrence, Window } from "../wire.generated";
import { dayText, dayWindow, HOUR_US, wallOf } from "./days";
import { ChoiceRow, DaysRow, MomentRow, NumberRow, TextRow } from "./fields";
import { RHYTHMS, ruleOf, type Told, toldOf, WEEKDAYS } from "./recurrence";

const HOLIDAYS: readonly HolidayUse[] = ["as_others", "never", "only"];

interface WindowsProps {
  readonly name: string;
  readonly windows: readonly Window[];
  readonly zone: string;
  readonly day: string;
  readonly empty: string;
  readonly onChange: (windows: Window[]) => void;
}

/** Windows in the programme's time zone; a new one is the evening of the day looked at, or follows the last. */
export function WindowRows({ name, windows, zone, day, empty, onChange }: WindowsProps) {
  const t = useText();
  const put = (i: number, part: Partial<Window>): void =>
    onChange(windows.map((each, n) => (n === i ? { ...each, ...part } : each)));
  const add = (): void => {
    const last = windows.at(-1);
    const start_us = last ? last.end_us + HOUR_US : dayWindow(day, zone).start_us + 18 * HOUR_US;
    onChange([...windows, { start_us, end_us: start_us + 4 * HOUR_US }]);
  };
  return (
    <div className="form" data-field={name}>
      {windows.length ? null : <p className="f12 t3">{empty}</p>}
      {windows.map((window, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a window has no other name than its number
        <div key={i} className="windowrow">
          <MomentRow
            name={`${name}[${i + 1}]`}
            label={t("plan.from")}
            us={window.start_us}
            zone={zone}
            onChange={(start_us) => put(i, { start_us })}
          />
          <MomentRow
            name={`${name}[${i + 1}].end`}
            label={t("plan.until")}
            us={window.end_us}
            zone={zone}
            onChange={(end_us) => put(i, { end_us })}
          />
          <button
            type="button"
            className="iconbtn"
            aria-label={t("plan.removeWindow", { n: i + 1 })}
            onClick={() => onChange(windows.filter((_, n) => n !== i))}
          >
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
      <button type="button" className="btn s" data-testid={`add-${name}`} onClick={add}>
        {t("plan.addWindow")}
      </button>
    </div>
  );
}

interface RecurrenceProps {
  readonly recurrence: Recurrence | null;
  readonly zone: string;
  readonly day: string;
  readonly onChange: (recurrence: Recurrence | null) => void;
}

/** How a task comes back; custom rules are written as RFC 5545 has them. */
export function RecurrenceFields({ recurrence, zone, day, onChange }: RecurrenceProps) {
  const t = useText();
  const told = recurrence ? toldOf(recurrence.rule) : null;
  const begin = (rhythm: Told["rhythm"]): Recurrence => ({
    rule: ruleOf({ rhythm, days: ["MO"], monthDay: 1, every: 1 }, "FREQ=WEEKLY;BYDAY=MO"),
    first_on: day,
    since: "08:00:00",
    until: "18:00:00",
    zone,
    skip: [],
    extra: [],
    holidays: "as_others",
  });
  const choose = (rhythm: Told["rhythm"] | "none"): void => {
    if (rhythm === "none") onChange(null);
    else if (!recurrence || !told) onChange(begin(rhythm));
    else if (rhythm === "custom")
      onChange({ ...recurrence, rule: `${recurrence.rule};WKST=MO`.replace(/(;WKST=MO)+/, ";WKST=MO") });
    else onChange({ ...recurrence, rule: ruleOf({ ...told, rhythm }, recurrence.rule) });
  };
  return (
    <>
      <ChoiceRow
        name="recurrence"
        label={t("plan.f.recurrence")}
        value={told?.rhythm ?? "none"}
        all={["none", ...RHYTHMS] as const}
        word={(each) => t(`plan.rhythm.${each}`)}
        onChange={choose}
      />
      {recurrence && told ? (
        <Repeating recurrence={recurrence} told={told} onChange={(part) => onChange({ ...recurrence, ...part })} />
      ) : null}
    </>
  );
}

interface RepeatingProps {
  readonly recurrence: Recurrence;
  readonly told: Told;
  readonly onChange: (part: Partial<Recurrence>) => void;
}

function Repeating({ recurrence, told, onChange }: RepeatingProps) {
  const t = useText();
  const { language } = useSettings();
  const say = (part: Partial<Told>): void => onChange({ rule: ruleOf({ ...told, ...part }, recurrence.rule) });
  const every = told.rhythm === "daily" || told.rhythm === "weekly" || told.rhythm === "monthly";
  return (
    <>
      {told.rhythm === "weekly" ? (
        <div className="chips" role="group" aria-label={t("plan.rhythm.weekly")}>
          {WEEKDAYS.map((day) => (
            <button
              key={day}
              type="button"
              className={`chip ${told.days.includes(day) ? "on" : ""}`}
              aria-pressed={told.days.includes(day)}
              onClick={() =>
                say({ days: told.days.includes(day) ? told.days.filter((one) => one !== day) : [...told.days, day] })
              }
            >
              {t(`plan.weekday.${day}`)}
            </button>
          ))}
        </div>
      ) : null}
      {told.rhythm === "custom" ? (
        <TextRow
          name="recurrence.rule"
          label={t("plan.f.rule")}
          hint={t("plan.ruleHint")}
          value={recurrence.rule}
          onChange={(rule) => onChange({ rule })}
        />
      ) : null}
      <div className="two">
        {every ? (
          <NumberRow
            name="every"
            label={t(`plan.every.${told.rhythm as "daily"}`)}
            value={told.every}
            isNeeded
            onChange={(value) => value && value >= 1 && say({ every: Math.round(value) })}
          />
        ) : null}
        {told.rhythm === "monthly" ? (
          <NumberRow
            name="monthDay"
            label={t("plan.monthDay")}
            value={told.monthDay}
            isNeeded
            onChange={(value) => value && say({ monthDay: Math.round(value) })}
          />
        ) : null}
      </div>
      <div className="two">
        <TimeRow
          name="since"
          label={t("plan.from")}
          value={recurrence.since}
          onChange={(since) => onChange({ since })}
        />
        <TimeRow
          name="until"
          label={t("plan.until")}
          value={recurrence.until}
          onChange={(until) => onChange({ until })}
        />
      </div>
      {recurrence.until <= recurrence.since ? <p className="f12 t3">{t("plan.nextMorning")}</p> : null}
      <div className="two">
        <ChoiceRow
          name="holidays"
          label={t("plan.f.holidays")}
          value={recurrence.holidays}
          all={HOLIDAYS}
          word={(each) => t(`plan.holidays.${each}`)}
          onChange={(holidays) => onChange({ holidays })}
        />
        <label>
          {t("plan.firstOn")}
          <input
            className="field num"
            type="date"
            title={dayText(recurrence.first_on, language)}
            value={recurrence.first_on}
            onChange={(event) => event.target.value && onChange({ first_on: event.target.value })}
          />
        </label>
      </div>
      <div className="two">
        <DaysRow
          key={`skip ${recurrence.skip.length}`}
          name="skip"
          label={t("plan.f.skip")}
          days={recurrence.skip}
          onChange={(skip) => onChange({ skip })}
        />
        <DaysRow
          name="extra"
          label={t("plan.f.extra")}
          days={recurrence.extra}
          onChange={(extra) => onChange({ extra })}
        />
      </div>
    </>
  );
}

function TimeRow({
  name,
  label,
  value,
  onChange,
}: {
  name: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <label data-field={name}>
      {label}
      <input
        className="field num"
        type="time"
        data-testid={`field-${name}`}
        value={value.slice(0, 5)}
        onChange={(event) => event.target.value && onChange(`${event.target.value}:00`)}
      />
    </label>
  );
}

/** A moment as a day and a clock, for lists. */
export const momentText = (us: number, zone: string): string => wallOf(us, zone).slice(5, 16).replace("T", " ");
