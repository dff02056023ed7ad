// Buttons that change something. One that can't be used just now stays where it is and says why.

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { writeBlock } from '../state/session.ts';

interface ButtonProps {
  readonly onClick: () => void;
  readonly children: ComponentChildren;
  /** Why it can't be used, in a sentence; null when it can. */
  readonly block?: string | null;
  readonly primary?: boolean;
  readonly danger?: boolean;
  readonly label?: string;
  readonly submit?: boolean;
  /** It is a switch, and on or off. */
  readonly checked?: boolean;
}

export function Button({ onClick, children, block = null, primary = false, danger = false, label, submit = false, checked }: ButtonProps) {
  const id = useId();
  const kind = danger ? 'danger' : primary ? 'primary' : '';
  return (
    <span class="button">
      <button
        type={submit ? 'submit' : 'button'}
        class={kind}
        {...(checked === undefined ? {} : ({ role: 'switch', 'aria-checked': checked } as const))}
        aria-label={label}
        aria-disabled={block !== null}
        aria-describedby={block === null ? undefined : id}
        title={block ?? undefined}
        onClick={(event) => {
          event.preventDefault();
          if (block === null) onClick();
        }}
      >
        {children}
      </button>
      {block === null ? null : (
        <span id={id} class="visually-hidden">
          {block}
        </span>
      )}
    </span>
  );
}

/** As `Button`, and not to be used while changes can't be asked for. */
export function WriteButton({ block = null, ...rest }: ButtonProps) {
  return <Button {...rest} block={writeBlock.value ?? block} />;
}
