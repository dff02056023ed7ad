// All conversations, by feature.

import type { Scenario } from '../scenario.ts';
import { ACROSS } from './across.ts';
import { BLOCKING } from './blocking.ts';
import { CLIENT } from './client.ts';
import { CLUSTER } from './cluster.ts';
import { COMMAND } from './command.ts';
import { CONFIG } from './config.ts';
import { CONNECTION } from './connection.ts';
import { INFO } from './info.ts';
import { PUBSUB } from './pubsub.ts';
import { SCRIPTING } from './scripts.ts';
import { SERVER } from './server.ts';
import { SORT } from './sort.ts';
import { TRANSACTIONS } from './transactions.ts';
import { UNKNOWN } from './unknown.ts';
import { WHOLE_KEYSPACE } from './whole.ts';

export const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = {
  connection: CONNECTION,
  unknown: UNKNOWN,
  across: ACROSS,
  transactions: TRANSACTIONS,
  blocking: BLOCKING,
  pubsub: PUBSUB,
  client: CLIENT,
  cluster: CLUSTER,
  command: COMMAND,
  whole: WHOLE_KEYSPACE,
  config: CONFIG,
  scripting: SCRIPTING,
  sort: SORT,
  info: INFO,
  server: SERVER,
};
