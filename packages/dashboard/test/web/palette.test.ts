// Goal: nobody has to guess which group a slot is in, whatever their eyes and whatever the theme.
// Method: the real tokens of tokens.css; distances in OKLab, in normal vision and in three kinds of colour blindness (Machado, Oliveira and
// Fernandes 2009, severity 1), contrasts by WCAG 2.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Colour, contrast, distance, linear, oklab } from '../../../../test/harness/oklab.ts';
import { REPO } from '../../../../test/harness/process.ts';

const CSS = readFileSync(join(REPO, 'packages/dashboard/web/src/styles/tokens.css'), 'utf8');
const VISIONS: Record<string, readonly number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
const GROUPS = [0, 1, 2, 3, 4, 5, 6, 7].map((hue) => `--group-${hue}`);
const RAMP = [1, 2, 3, 4, 5, 6, 7, 8].map((step) => `--ramp-${step}`);

function tokens(theme: 'light' | 'dark'): (name: string) => Colour {
  const block = /:root \{([^}]*)\}/.exec(CSS)?.[1] ?? '';
  const dark = /:root\[data-theme="dark"\] \{([^}]*)\}/.exec(CSS)?.[1] ?? '';
  return (name) => {
    const pattern = new RegExp(`${name}: (#[0-9a-f]{6});`);
    const hex = pattern.exec(theme === 'dark' ? dark : block)?.[1];
    if (hex === undefined) throw new Error(`${theme} has no ${name}`);
    return [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255)) as unknown as Colour;
  };
}

function seen([r, g, b]: Colour, matrix: readonly number[]): Colour {
  const row = (at: number) => Math.min(1, Math.max(0, (matrix[at] ?? 0) * r + (matrix[at + 1] ?? 0) * g + (matrix[at + 2] ?? 0) * b));
  return [row(0), row(3), row(6)];
}

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const token = tokens(theme);

  test.each(Object.entries(VISIONS))('the hues of groups and the red of errors differ, in %s vision', (_name, vision) => {
    const names = [...GROUPS, '--error'];
    const close = names.flatMap((a, index) =>
      names.slice(index + 1).flatMap((b) => (distance(seen(token(a), vision), seen(token(b), vision)) < 10 ? [`${a} and ${b}`] : [])),
    );
    expect(close).toEqual([]);
  });

  test('no group is red or orange, which errors have for themselves', () => {
    const hue = (name: string) => {
      const [, a, b] = oklab(token(name));
      return ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
    };
    expect(GROUPS.filter((name) => hue(name) < 60 || hue(name) > 352)).toEqual([]);
  });

  test.each(['--bg', '--surface'])('groups, and what is not text, stand out from %s', (background) => {
    const faint = [...GROUPS, '--error', '--hatch', '--border-strong', '--accent'].filter(
      (name) => contrast(token(name), token(background)) < 3,
    );
    expect(faint).toEqual([]);
  });

  test.each([
    ['--text', ['--bg', '--surface', '--raised', '--accent-soft', '--error-soft']],
    ['--muted', ['--bg', '--surface', '--raised', '--error-soft']],
    ['--accent', ['--bg', '--surface', '--raised', '--accent-soft', '--error-soft']],
    ['--accent-text', ['--accent']],
    ['--ok', ['--ok-soft']],
    ['--warn', ['--warn-soft']],
    ['--error', ['--error-soft', '--bg', '--raised']],
    ['--bg', ['--error']],
  ])('text in %s can be read where it stands', (name, backgrounds) => {
    expect(backgrounds.filter((background) => contrast(token(name), token(background)) < 4.5)).toEqual([]);
  });

  test('the steps of the ramp go one way in lightness, and can be told apart', () => {
    const lightness = RAMP.map((name) => oklab(token(name))[0]);
    const steps = lightness.slice(1).map((value, index) => (value - (lightness[index] ?? 0)) * (theme === 'light' ? -1 : 1));
    expect(steps.filter((step) => step < 0.05)).toEqual([]);
  });
});
