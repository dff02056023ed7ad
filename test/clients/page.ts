// docs/clients.md: which client libraries were seen to work, with what.

import { CHECKS, type Check, type Outcome } from './library.ts';

interface Row {
  readonly name: string;
  readonly language: string;
  readonly outcome: Outcome;
}

const HEADINGS: Readonly<Record<Check, string>> = {
  connect: 'connect',
  types: 'every type',
  pipeline: 'pipeline',
  transaction: 'MULTI, WATCH',
  pubsub: 'Pub/Sub',
  blocking: 'BLPOP',
  script: 'scripts',
  scan: 'SCAN',
  reconnect: 'reconnect',
};

/** The page. A row says yes where the library did everything right through a proxy. */
export function clientsPage(rows: readonly Row[]): string {
  const lines = rows.map(({ name, language, outcome }) =>
    row([name, language, ...CHECKS.map((check) => (outcome[check] === '' ? 'yes' : 'no'))]),
  );
  return `# Client libraries

An application that uses Redis needs no change: it connects to a proxy as to a Redis. These libraries were seen to do all this through a
proxy, with their default settings, and while slots were moving. \`test/clients.test.ts\` runs them and makes this table; each does the same on a plain Redis first.

${row(['library', 'language', ...CHECKS.map((check) => HEADINGS[check])])}
${row(['---', '---', ...CHECKS.map(() => '---')])}
${lines.join('\n')}

redis-benchmark runs its full default set. The libraries for Node.js, and redis-cli -3, speak RESP3; the others are as Debian 12 packages them and speak RESP2.

Cluster-aware modes of these libraries work too: a proxy answers \`CLUSTER SLOTS\` and its like, and the live proxies are the nodes.
`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
