// Goal: config.ini and docs/config.md can't say anything but what the programs do.
// Method: what is rendered is parsed again; that the committed files are what is rendered is tidy's (test/tidy.test.ts).

import { describe, expect, test } from 'vitest';
import { parseSettings, renderConfigDocs, renderConfigIni, SETTING_NAMES } from '../../src/settings/index.ts';

describe('the sample config.ini', () => {
  test('sets every key to its default', () => {
    const sample = parseSettings({ text: renderConfigIni() });
    expect(sample).toEqual(parseSettings({ text: '' }));
    expect(sample.ok).toBe(true);
  });

  test.each(SETTING_NAMES)('has one line for %s', (name) => {
    const lines = renderConfigIni().split('\n');
    expect(lines.filter((line) => line.startsWith(`${name} =`))).toHaveLength(1);
  });

  test('has no line longer than 120 columns', () => {
    const lines = renderConfigIni().split('\n');
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });
});

test.each(SETTING_NAMES)('the reference page describes %s', (name) => {
  expect(renderConfigDocs()).toContain(`### \`${name}\``);
});
