// Which commands the lists name, and which there are.

import type { RedisServer } from '../harness/redis.ts';
import type { Family } from './family.ts';
import { parseLine } from './line.ts';
import { parseStep, type Scenario } from './scenario.ts';

/** Names of commands and `parent|child` of subcommands, in lower case. */
export function namesInSpecs(families: readonly Family[], scenarios: Readonly<Record<string, readonly Scenario[]>>): Set<string> {
  const lines = families.flatMap((family) => family.lines.map((line) => parseLine(line).words));
  const steps = Object.values(scenarios).flatMap((all) => all.flatMap((scenario) => scenario.steps.map((step) => parseStep(step).words)));
  const names = new Set<string>();
  for (const [first = '', second = ''] of [...lines, ...steps]) {
    names.add(first.toLowerCase()).add(`${first}|${second}`.toLowerCase());
  }
  return names;
}

/** As COMMAND tells them. */
export async function namesOfRedis(server: RedisServer): Promise<string[]> {
  const commands = (await server.client().call('COMMAND')) as readonly (readonly unknown[])[];
  return commands.flatMap(([name, , , , , , , , , subcommands]) => [
    String(name),
    ...(subcommands as readonly (readonly unknown[])[]).map(([child]) => String(child)),
  ]);
}
