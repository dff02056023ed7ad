// A labelled input that says in a sentence what is wrong with what is in it, as soon as something is.

import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { t } from '../lib/words.ts';

/** A text that an input reads and writes: a signal, or what stands for one. */
export interface TextCell {
  value: string;
}

interface FieldProps {
  readonly label: string;
  readonly value: TextCell;
  /** A sentence, or null when the text will do. */
  readonly check?: (text: string) => string | null;
  readonly hint?: string;
  readonly secret?: boolean;
  /** Digits are typed here. */
  readonly numeric?: boolean;
  readonly placeholder?: string;
  readonly unit?: string;
  readonly multiline?: boolean;
  readonly autocomplete?: string;
  readonly autofocus?: boolean;
}

export function Field({ label, value, check, hint, unit, multiline = false, secret = false, numeric = false, ...rest }: FieldProps) {
  const id = useId();
  const left = useSignal(false);
  const problem = check?.(value.value) ?? null;
  // An empty field is not wrong before somebody has been in it.
  const shown = problem !== null && (value.value !== '' || left.value) ? problem : null;
  const input = {
    id,
    value: value.value,
    'aria-invalid': shown !== null,
    'aria-describedby': `${id}-note`,
    onInput: (event: Event) => {
      value.value = (event.currentTarget as HTMLInputElement | HTMLTextAreaElement).value;
    },
    onBlur: () => {
      left.value = true;
    },
    placeholder: rest.placeholder ?? '',
    autocomplete: rest.autocomplete ?? 'off',
    autofocus: rest.autofocus ?? false,
  };
  return (
    <div class={shown === null ? 'field' : 'field invalid'}>
      <label for={id}>{label}</label>
      <span class="input">
        {multiline ? (
          <textarea rows={5} spellcheck={false} {...input} />
        ) : secret ? (
          <input type="password" {...input} />
        ) : (
          <input type="text" inputMode={numeric ? 'numeric' : 'text'} {...input} />
        )}
        {unit === undefined ? null : <span class="unit">{unit}</span>}
      </span>
      <span id={`${id}-note`} class={shown === null ? 'hint' : 'error-text'} aria-live="polite">
        {shown ?? hint ?? ''}
      </span>
    </div>
  );
}

interface SelectProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  /** Their labels are English, and translated here. */
  readonly options: readonly { readonly value: Value; readonly label: string; readonly disabled?: boolean }[];
  readonly onChange: (value: Value) => void;
}

export function Select<Value extends string>({ label, value, options, onChange }: SelectProps<Value>) {
  const id = useId();
  return (
    <div class="field inline">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value as Value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled ?? false}>
            {t(option.label)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A check of a whole number in a range. `what`: English, and translated when it is said. */
export function wholeNumber(what: string, { min, max, optional = false }: { min: number; max: number; optional?: boolean }) {
  return (text: string): string | null => {
    if (text.trim() === '') return optional ? null : t('Write {what}.', { what: t(what) });
    if (!/^-?\d+$/.test(text.trim())) return t('“{text}” is not a whole number.', { text: text.trim().slice(0, 30) });
    const value = Number(text);
    return value < min || value > max ? t('{what} must be from {min} to {max}.', { what: t(what), min, max }) : null;
  };
}

const ADDR = /^(?:([A-Za-z0-9_.-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\]):(\d{1,5})$/;

/** A check of `host:port`. */
export function address(text: string): string | null {
  const value = text.trim();
  if (value === '') return t('Write host:port, like 127.0.0.1:6379.');
  const port = Number(ADDR.exec(value)?.[3] ?? 0);
  return port >= 1 && port <= 65_535
    ? null
    : t('“{text}” is not an address: write host:port, like 127.0.0.1:6379.', { text: value.slice(0, 60) });
}
