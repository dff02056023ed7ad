// A proxy that is named by an address: by the port that clients connect to, say, where Codis 3 wanted the admin address. The proxy that has it is named, and the
// command line that was meant.

import type { Command } from 'commander';
import type { ProxiesView } from '../../api/index.ts';
import { pathOf } from '../catalogue.ts';
import { HintedError } from '../failures.ts';
import { sessionOf } from '../session.ts';

/** Before anything of a command below `proxy` is done. */
export function refuseAddresses(proxy: Command): void {
  proxy.hook('preAction', async (_, command) => {
    const [given] = command.args;
    if (given?.includes(':')) throw await namedByAddress(command, given);
  });
}

async function namedByAddress(command: Command, addr: string): Promise<HintedError> {
  const what = `${JSON.stringify(addr)} is not a proxy id but an address`;
  const { proxies } = await sessionOf(command).get<ProxiesView>('/proxies');
  const owner = proxies.find((one) => one.addr === addr || one.adminAddr === addr);
  if (owner === undefined) {
    const hint = 'proxies go by their id, not by their address; list them with: codis-config proxy list';
    return new HintedError('CODIS_E_BAD_PROXY_ID', what, [hint]);
  }
  const role = owner.addr === addr ? `${owner.id} takes clients there` : `it is the admin address of ${owner.id}`;
  return new HintedError('CODIS_E_BAD_PROXY_ID', `${what}: ${role}`, [`codis-config ${pathOf(command)} ${owner.id}`]);
}
