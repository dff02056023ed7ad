// Goal: what deploy/ ships works: every metric that a rule or a panel names is exported, and what is exported is as Prometheus wants it, and bounded.
// Method: a real proxy and a real dashboard are scraped after some use; promtool has its say too where it is installed.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, REPO, stopAll } from './harness/process.ts';
import { type Family, lint, parseExposition } from './metrics/exposition.ts';

const DEPLOY = join(REPO, 'deploy');
/** A proxy exports no more than this, however large its cluster is. */
const PROXY_SERIES_MAX = 2000;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const rules = (parse(readFileSync(join(DEPLOY, 'prometheus/alerts.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const grafana = JSON.parse(readFileSync(join(DEPLOY, 'grafana/codis.json'), 'utf8')) as {
  panels: { id: number; title: string; gridPos: Rectangle; targets?: { expr: string }[] }[];
  templating: { list: { query: string | { query: string } }[] };
};
const queries = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...grafana.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...grafana.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [['a variable', query.query] as const])),
];

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

let cluster: Cluster;
const text: Record<string, string> = {};
const exported = new Map<string, Family>();

beforeAll(async () => {
  cluster = await startCluster({ proxies: 1, groups: 2, replicas: 1 });
  const client = cluster.proxies[0]!.client();
  for (let number = 0; number < 100; number++) await client.set(`key:${number}`, 'value');
  for (let number = 0; number < 300; number++) await client.call(`nonsense${number}`).catch(() => undefined);
  const scrape = async (port: number) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  text['proxy'] = await scrape(cluster.proxies[0]!.adminPort);
  text['dashboard'] = await eventually(
    async () => {
      const got = await scrape(cluster.dashboardPort);
      return got.includes('codis_server_replication_lag_bytes{') ? got : undefined;
    },
    { what: 'the dashboard to know of the replicas' },
  );
  for (const page of Object.values(text)) for (const [name, family] of parseExposition(page)) exported.set(name, family);
}, 90_000);

afterAll(async () => {
  await cluster.stop();
  await stopAll();
});

describe.each(['proxy', 'dashboard'])('/metrics of a %s', (program) => {
  test('is as Prometheus wants it', () => {
    expect(lint(parseExposition(text[program] ?? '').values())).toEqual([]);
  });

  test('finds favour with promtool, where there is one', () => {
    expect(promtool(['check', 'metrics'], text[program])).toBe('');
  });
});

test('a proxy tells nothing by slot or key, and nothing of commands that don’t exist', () => {
  const samples = [...parseExposition(text['proxy'] ?? '').values()].flatMap((family) => family.samples);
  expect(samples.length).toBeLessThan(PROXY_SERIES_MAX / 10);
  expect(samples.filter(({ labels }) => /nonsense|key:/.test(JSON.stringify(labels)))).toEqual([]);
  expect([...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))].sort()).toEqual(['command', 'le', 'stage', 'worker']);
});

describe('every query of deploy/', () => {
  const KEYWORDS = new Set(['by', 'on', 'unless', 'and', 'or', 'group_left', 'without', 'ignoring', 'offset', 'bool', 'vector', 'up']);

  test('there are some', () => {
    expect(queries.length).toBeGreaterThan(50);
  });

  test.each(queries)('of “%s” names what is exported', (_, expr) => {
    const withoutText = expr.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, '');
    const names = withoutText.match(/\b(?:codis|process|nodejs)_\w+/g) ?? [];
    if (!/\bup\b/.test(withoutText)) expect(names.length).toBeGreaterThan(0);
    const known = (name: string) => exported.has(name) || exported.get(name.replace(/_(?:bucket|sum|count)$/, ''))?.type === 'histogram';
    expect(names.filter((name) => !known(name))).toEqual([]);
    for (const [, name = '', matchers = ''] of withoutText.matchAll(/(codis_\w+)\{([^}]*)\}/g)) {
      const labels = (matchers.match(/\w+(?=[=!])/g) ?? []).filter((label) => !KEYWORDS.has(label));
      const has = new Set(exported.get(name)?.samples.flatMap((sample) => Object.keys(sample.labels)));
      expect(labels.filter((label) => !has.has(label))).toEqual([]);
    }
  });

  test('groups by labels that there are', () => {
    const labels = new Set([...exported.values()].flatMap(({ samples }) => samples.flatMap((sample) => Object.keys(sample.labels))));
    const used = queries.flatMap(([, expr]) => [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')));
    expect([...new Set(used)].filter((label) => !labels.has(label) && label !== 'instance')).toEqual([]);
  });
});

test('alerts have a name of their own, a severity, and what to do', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^Codis[A-Z]\w+$/);
    expect(['critical', 'warning']).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(20);
    expect(annotations.description).toMatch(/\.$/);
  }
});

test('promtool takes the rules and the example, where there is one', () => {
  expect(promtool(['check', 'config', join(DEPLOY, 'prometheus/scrape.yml')])).toBe('');
});

test('panels have ids of their own and lie side by side', () => {
  const { panels } = grafana;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const overlaps = (a: Rectangle, b: Rectangle) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  const pairs = panels.flatMap((one, index) => panels.slice(index + 1).map((other) => [one, other] as const));
  expect(pairs.filter(([one, other]) => overlaps(one.gridPos, other.gridPos)).map(([one, other]) => [one.title, other.title])).toEqual([]);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

/** What it complains of; empty when it does not, or is not installed. */
function promtool(args: readonly string[], input?: string): string {
  try {
    execFileSync('promtool', args, { input: input ?? '', stdio: ['pipe', 'pipe', 'pipe'] });
    return '';
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: string; stdout?: Buffer; stderr?: Buffer };
    return code === 'ENOENT' ? '' : `${stdout?.toString() ?? ''}${stderr?.toString() ?? ''}`;
  }
}
