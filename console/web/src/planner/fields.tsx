// The fields of the planner's forms: each knows its name in the model, its unit, and what the server says of it.
import { createContext, type ReactNode, useContext, useEffect, useId, useState } from "react";
import type { TextKey } from "../i18n/zh";
import { useText } from "../state/useText";
import { momentOf, wallOf } from "./days";

/** What is wrong, by the name of the field; the server's own sentence. */
export const FieldFaults = createContext<ReadonlyMap<string, string>>(new Map());

export type FieldKey = Extract<TextKey, `plan.f.${string}`>;

interface Described {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string | undefined;
}

interface FrameProps {
  readonly name: string;
  readonly label: string;
  readonly unit?: string;
  readonly hint?: string;
  readonly children: (described: Described) => ReactNode;
}

/** A label, its field, and below it what is wrong with what stands there. */
export function Frame({ name, label, unit, hint, children }: FrameProps) {
  const fault = useContext(FieldFaults).get(name);
  const id = useId();
  return (
    <label data-field={name} htmlFor={`field${id}`}>
      <span>
        {label}
        {unit ? <span className="t3"> {unit}</span> : null}
      </span>
      {children({ id: `field${id}`, "aria-invalid": fault !== undefined, "aria-describedby": fault ? id : undefined })}
      {hint ? <span className="f12 t3">{hint}</span> : null}
      {fault ? (
        <span id={id} className="f12 c-attn" data-testid={`fault-${name}`}>
          {fault}
        </span>
      ) : null}
    </label>
  );
}

interface NumberProps {
  readonly name: string;
  readonly label: string;
  readonly unit?: string;
  readonly hint?: string;
  readonly value: number | null;
  /** What one of the field's unit is in the model's: 60 for minutes of seconds. */
  readonly scale?: number;
  readonly digits?: number;
  readonly isNeeded?: boolean;
  readonly onChange: (value: number | null) => void;
}

const shown = (value: number | null, scale: number, digits: number): string =>
  value === null || !Number.isFinite(value) ? "" : String(Number((value / scale).toFixed(digits)));

/** A number; an empty field is null, or where it is needed stays what it was until something is written. */
export function NumberRow({ name, label, unit, hint, value, scale = 1, digits = 7, isNeeded, onChange }: NumberProps) {
  const [text, setText] = useState(shown(value, scale, digits));
  const told = text.trim() === "" ? null : Number(text) * scale;
  useEffect(() => {
    setText((before) => {
      const same =
        before.trim() === "" ? value === null : Math.abs(Number(before) * scale - (value ?? Number.NaN)) < 1e-9;
      return same ? before : shown(value, scale, digits);
    });
  }, [value, scale, digits]);
  return (
    <Frame name={name} label={label} unit={unit} hint={hint}>
      {(described) => (
        <input
          {...described}
          className="field num"
          inputMode="decimal"
          autoComplete="off"
          data-testid={`field-${name}`}
          value={text}
          onBlur={() => told === null && isNeeded && setText(shown(value, scale, digits))}
          onChange={(event) => {
            setText(event.target.value);
            const next = event.target.value.trim();
            if (next === "" && !isNeeded) onChange(null);
            else if (next !== "" && Number.isFinite(Number(next))) onChange(Number(next) * scale);
          }}
        />
      )}
    </Frame>
  );
}

interface TextProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly rows?: number;
  readonly lang?: string;
  readonly options?: readonly string[];
  readonly onChange: (value: string) => void;
}

export function TextRow({ name, label, hint, value, rows = 1, lang, options, onChange }: TextProps) {
  const listId = useId();
  const common = {
    className: "field",
    lang,
    autoComplete: "off",
    spellCheck: false,
    "data-testid": `field-${name}`,
    value,
  } as const;
  return (
    <Frame name={name} label={label} hint={hint}>
      {(described) =>
        rows > 1 ? (
          <textarea {...described} {...common} rows={rows} onChange={(event) => onChange(event.target.value)} />
        ) : (
          <>
            <input
              {...described}
              {...common}
              list={options ? listId : undefined}
              onChange={(event) => onChange(event.target.value)}
            />
            {options ? (
              <datalist id={listId}>
                {options.map((each) => (
                  <option key={each} value={each} />
                ))}
              </datalist>
            ) : null}
          </>
        )
      }
    </Frame>
  );
}

interface ChoiceProps<T extends string | number> {
  readonly name: string;
  readonly label: string;
  readonly value: T;
  readonly all: readonly T[];
  readonly word: (one: T) => string;
  readonly onChange: (value: T) => void;
}

export function ChoiceRow<T extends string | number>({ name, label, value, all, word, onChange }: ChoiceProps<T>) {
  return (
    <Frame name={name} label={label}>
      {(described) => (
        <select
          {...described}
          className="field"
          data-testid={`field-${name}`}
          value={value}
          onChange={(event) => onChange(all.find((each) => String(each) === event.target.value) ?? value)}
        >
          {all.map((each) => (
            <option key={each} value={each}>
              {word(each)}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

interface CheckProps {
  readonly name: string;
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

export function CheckRow({ name, label, isOn, onChange }: CheckProps) {
  return (
    <label className="check" data-field={name}>
      <input
        type="checkbox"
        data-testid={`field-${name}`}
        checked={isOn}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}

interface MomentProps {
  readonly name: string;
  readonly label: string;
  readonly us: number;
  readonly zone: string;
  readonly onChange: (us: number) => void;
}

/** A day and a clock time in the programme's time zone. */
export function MomentRow({ name, label, us, zone, onChange }: MomentProps) {
  return (
    <Frame name={name} label={label}>
      {(described) => (
        <input
          {...described}
          className="field num"
          type="datetime-local"
          data-testid={`field-${name}`}
          value={wallOf(us, zone).slice(0, 16)}
          onChange={(event) => {
            const told = momentOf(event.target.value, zone);
            if (told !== null) onChange(told);
          }}
        />
      )}
    </Frame>
  );
}

/** Numbers that lie between 0 and 1 in the model and are said in percent. */
export function ShareRow(props: Omit<NumberProps, "scale" | "unit" | "digits">) {
  return <NumberRow {...props} unit="%" scale={0.01} digits={1} />;
}

export function Group({ title, children, isOpen = true }: { title: string; children: ReactNode; isOpen?: boolean }) {
  return (
    <details className="formgroup" open={isOpen}>
      <summary>{title}</summary>
      <div className="form">{children}</div>
    </details>
  );
}

/** Whether a list of days is one: each as 2026-10-01. */
export const daysFrom = (text: string): string[] | null => {
  const days = text.split(/[\s,，、]+/).filter(Boolean);
  return days.every((day) => /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day))) ? days : null;
};

/** Days as a text that is changed as a whole. */
export function DaysRow({
  name,
  label,
  hint,
  days,
  onChange,
}: {
  name: string;
  label: string;
  hint?: string;
  days: readonly string[];
  onChange: (days: string[]) => void;
}) {
  const t = useText();
  const [text, setText] = useState(days.join(" "));
  const isWrong = daysFrom(text) === null;
  return (
    <Frame name={name} label={label} hint={isWrong ? t("plan.daysWrong") : hint}>
      {(described) => (
        <input
          {...described}
          className="field num"
          autoComplete="off"
          data-testid={`field-${name}`}
          aria-invalid={isWrong || described["aria-invalid"]}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            const told = daysFrom(event.target.value);
            if (told) onChange(told);
          }}
        />
      )}
    </Frame>
  );
}
