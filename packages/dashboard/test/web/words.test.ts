// Goal: whatever the console says, it says in Chinese too, and a text that is added without words for it is noticed at once.
// Method: the sources are read as syntax: what is said without being marked, and what is marked but not in the catalogue, or the other way about.

import type { StatusView } from '@codis/config/api';
import { emptyTopology } from '@codis/config/model';
import { judge } from '@codis/config/status';
import { afterEach, describe, expect, test } from 'vitest';
import { explained, serverTrouble } from '../../../config/src/migration/server-trouble.ts';
import { conditionsFor } from '../../src/alerts/rules.ts';
import { HotKeyHistory } from '../../src/observe/hot-key-history.ts';
import type { HotKeysReading } from '../../src/observe/hot-keys.ts';
import { sentences, words } from '../../web/src/i18n/zh-CN.ts';
import { ago, bytes, count, duration, plural, rate } from '../../web/src/lib/format.ts';
import { told, understand } from '../../web/src/lib/told.ts';
import { rich, speak, t } from '../../web/src/lib/words.ts';
import { FAULTS } from '../alerts/faults.ts';
import { down, group, proxy, server, status } from '../facts.ts';
import { textsOf } from './texts.ts';

const namesIn = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
const CHINESE = /\p{Script=Han}/u;

function inChinese(): void {
  speak('zh-CN', words);
  understand(sentences);
}

afterEach(() => {
  speak('en', {});
  understand({});
});

describe('the texts of the console', () => {
  const { keys, bare } = textsOf();

  test('are all marked for translation', () => {
    expect(bare.map(({ where, text }) => `${where}: “${text}” is shown, but not by t()`)).toEqual([]);
    expect(keys.size).toBeGreaterThan(700);
  });

  test('have all words in Chinese', () => {
    expect([...keys].filter(([key]) => !Object.hasOwn(words, key)).map(([key, where]) => `${where}: ${key}`)).toEqual([]);
  });

  test('are all there is in the catalogue', () => {
    expect(Object.keys(words).filter((key) => !keys.has(key))).toEqual([]);
  });

  test.each(Object.entries({ words, sentences }))('of %s have the same places in both languages', (_, catalogue) => {
    const wrong = Object.entries(catalogue).filter(([english, chinese]) => namesIn(english).join() !== namesIn(chinese).join());
    expect(wrong).toEqual([]);
  });
});

test('one thing has one word, which stands at the top of the catalogue', () => {
  const others = /主节点|从节点|主服务器|副本|节点|分片|插槽|哈希槽|分组|网关|热点|报警|时期|纪元|再平衡|重平衡/;
  expect([...Object.values(words), ...Object.values(sentences)].filter((chinese) => others.test(chinese))).toEqual([]);
});

describe('the search for texts that are not marked', () => {
  // Were it blind, the tests above would say nothing.
  test.each([
    ['<p>Some slots</p>', 'Some slots'],
    ['<p>{busy ? t("x") : "not yet"}</p>', 'not yet'],
    ['<a title="gone">{1}</a>', 'gone'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of one.
    ['<p>{`of ${n} keys`}</p>', 'of … keys'],
    ['const x = () => ({ said: "done" })', 'done'],
    ['const x = () => "Choose a server."', 'Choose a server.'],
    ['const NOT_YET = msg("Not yet."); const x = <p>{NOT_YET}</p>;', 'NOT_YET'],
  ])('sees %s', (code, text) => {
    expect(textsOf(new Map([['a.tsx', code]])).bare.map((found) => found.text)).toEqual([text]);
  });

  test.each(['<code>GET key</code>', '<p class="some hint">{t("x")}</p>', 'if (state === "not there") go();', '<p>{n} / {m}</p>'])(
    'leaves %s',
    (code) => {
      expect(textsOf(new Map([['a.tsx', code]])).bare).toEqual([]);
    },
  );
});

describe('a text', () => {
  test('has its values put in, in the order of the language', () => {
    expect(t('{first}–{last} of {total}', { first: 1, last: 20, total: 300 })).toBe('1–20 of 300');
    inChinese();
    expect(t('{addr} of {name}, unknown', { addr: '{name}', name: 'x' })).toBe('{name} of x, unknown');
    expect(t('Made at epoch {epoch} by {actor}, {at}.', { epoch: 7, actor: 'li', at: '12:00' })).toBe('由 li 于 12:00 按拓扑版本 7 制定。');
    expect(rich('Since {at}.', { at: 5 })).toEqual(['自 ', 5, ' 起。']);
  });

  test('has its number agree with the thing', () => {
    expect([plural(1, 'slot'), plural(2, 'slot'), plural(2, 'proxy'), plural(0, 'key')]).toEqual([
      '1 slot',
      '2 slots',
      '2 proxies',
      '0 keys',
    ]);
    inChinese();
    expect([plural(1, 'slot'), plural(2000, 'proxy')]).toEqual(['1 个槽位', '2,000 个代理']);
  });

  test('has its times and rates in the words of the language', () => {
    inChinese();
    expect(duration(3_723_000)).toBe('1 小时 2 分钟');
    expect(ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:12Z'))).toBe('12 秒前');
    expect([rate(1200), rate(3, 'keys'), bytes(1536), count(1234.4)]).toEqual(['1.2k/秒', '3 键/秒', '1.5 KiB', '1,234']);
  });
});

describe('what the dashboard says of the cluster', () => {
  test.each(FAULTS)('is known, with why and what to do: %s', (_, seen) => {
    inChinese();
    for (const { text, why, try: tries } of conditionsFor(seen)) {
      for (const sentence of [text, why, ...tries.map(({ label }) => label)]) expect(told(sentence), sentence).toMatch(CHINESE);
    }
  });

  const judged = (over: Partial<StatusView>) => judge({ ...status(over), initialised: true }).summary.replace(/^\w+: /, '');

  test('is known in the verdict, part by part', () => {
    inChinese();
    expect(told(judged({}))).toBe('1024 个槽位中 1024 个可用，2 个组中 2 个有可用的从库，2 个代理中 2 个在线');
    const ill = { groups: [group(1, [server('m:1', 'master', down)]), group(2)], proxies: [proxy('p1', { state: 'lost' })] };
    expect(told(judged(ill))).toMatch(/^组 1 的主库 m:1 宕机，因此 512 个槽位（50 %）无法访问（另有 2 个故障）；/);
    expect(told(judge({ ...status(), initialised: false }).summary.replace(/^\w+: /, ''))).toMatch(CHINESE);
  });

  test.each(['Connection is closed.', 'Command timed out', 'connect ECONNREFUSED 127.0.0.1:6379', 'read ECONNRESET', 'write EPIPE'])(
    'is known of a server that stops answering a move: %s',
    (message) => {
      inChinese();
      const broken = Object.assign(new Error(message), { code: 'E' });
      const why = serverTrouble('10.0.0.1:6379', explained('10.0.0.1:6379', broken));
      expect(told(`keys of group 1 don't get to group 2: ${why}`)).not.toMatch(/[A-Za-z]{2}/);
    },
  );

  test('is known of hot keys in a minute, and why there are none', () => {
    inChinese();
    const history = new HotKeyHistory();
    const basisAt = (minute: number, now: number) =>
      history.view({ atMs: minute * 60_000, nowMs: now * 60_000 + 30_000, slot: 7, limit: 9 }).basis;
    const all = [...basisAt(5, 9)];
    history.begin(6 * 60_000);
    const keys = Array.from({ length: 200 }, (_, index) => ({ key: `{6}${index}`, db: 0, requestsPerSecond: 1, overPerSecond: 0 }));
    const reading = { sampleEvery: 256, seconds: 59.9, sampled: 5, keyBytesMax: 1024, missing: 0, keys };
    const answers = new Map<string, HotKeysReading | string>([
      ['p1', reading],
      ['p2', { ...reading, missing: 1 }],
      ['p3', 'it has no session'],
      ['p4', 'its last minute ended 70 s ago, 60 s before that of this dashboard'],
      ['p5', 'none of its workers has counted to the end of a minute yet'],
      ['p6', 'what answers at 127.0.0.1:7 does not tell of hot keys minute by minute'],
      ['p7', 'its admin address 127.0.0.1:7 did not answer in 1000 ms'],
    ]);
    history.add(7, { told: answers, topology: emptyTopology(), nowMs: 8 * 60_000 });
    history.add(8, { told: new Map(), topology: emptyTopology(), nowMs: 9 * 60_000 });
    history.failed(9, { trouble: 'x', nowMs: 10 * 60_000 });
    for (const minute of [5, 7, 8, 9, 10]) all.push(...basisAt(minute, 10));
    all.push(...basisAt(5, 400), ...history.view({ atMs: 7 * 60_000, nowMs: 0, slot: 8, limit: 9 }).basis);
    expect(new Set(all).size).toBe(17);
    for (const sentence of all) {
      expect(told(sentence), sentence).toMatch(CHINESE);
      expect(told(sentence)?.replaceAll('Dashboard', ''), sentence).not.toMatch(/[a-z]{2,} [a-z]{2,}/);
    }
  });

  test('takes no time to look at, however it is made', () => {
    inChinese();
    const begun = performance.now();
    for (const piece of [' of ', '; ', ', so (', 'a']) expect(told(`x${piece.repeat(20_000)}x`)).toBeNull();
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test('stays as it is when it is not known, and in English', () => {
    expect(told('group 1 has no master')).toBeNull();
    inChinese();
    expect(told('something else')).toBeNull();
    expect(told('Group 1 has no master')).toBe('组 1 没有主库');
  });
});
