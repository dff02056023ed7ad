// A process that uses the embedded coordinator, to be killed and stopped by a test. Runs the built code; says what it does line by line.
//
//   node child.mjs count  <dir> <product> <name> <times>   adds 1 to `total` and to `by/<name>` in one commit, so many times
//   node child.mjs hold   <dir> <product> <name> <timeoutMs>  holds the ephemeral <name>, again after each lost session
//   node child.mjs stall  <dir> <product>                  stops itself between reading the newest version and linking the next

import { writeSync } from 'node:fs';
import { join } from 'node:path';

const BUILT = new URL('../../../dist/coordinator/filesystem/', import.meta.url);
const { openFilesystemCoordinator } = await import(new URL('filesystem.js', BUILT).href);
const { VersionedFiles } = await import(new URL('versioned-files.js', BUILT).href);

const say = (text) => writeSync(1, `${text}\n`);
const [mode, dir, product, name, number] = process.argv.slice(2);

await { count, hold, stall }[mode]();

async function count() {
  const coordinator = openFilesystemCoordinator({ dir, product, sessionTimeoutMs: 60_000 });
  await coordinator.ready(60_000);
  const own = `by/${name}`;
  await coordinator.commit([{ op: 'create', path: own, data: Buffer.from('0') }]);
  for (let done = 0; done < Number(number); ) {
    const total = await coordinator.read('total');
    const mine = await coordinator.read(own);
    const plusOne = (path, { data, version }) => ({ op: 'set', path, version, data: Buffer.from(String(Number(data.toString()) + 1)) });
    const result = await coordinator.commit([plusOne('total', total), plusOne(own, mine)]);
    if (result.ok) say(`done ${++done}`);
  }
  await coordinator.close();
}

async function hold() {
  const coordinator = openFilesystemCoordinator({ dir, product, sessionTimeoutMs: Number(number) });
  coordinator.onState((state) => {
    say(`state ${state.kind} ${state.session ?? ''}`);
    if (state.kind === 'connected') {
      coordinator.commit([{ op: 'create', path: name, data: Buffer.from(state.session), ephemeral: true }]).then(
        (result) => say(`held ${result.ok}`),
        (error) => say(`failed ${error.code}`),
      );
    }
  });
}

async function stall() {
  const files = new VersionedFiles(join(dir, product));
  const base = await files.newestVersion();
  say(`stopping at ${base}`);
  process.kill(process.pid, 'SIGSTOP');
  say(`published ${base + 1} ${await files.publish(base + 1, 'written by one who slept', 'sleeper')}`);
}
