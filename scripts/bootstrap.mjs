// From a bare checkout to something that runs: Node's version, npm packages, programs from Debian's packages, the build.
// Plain JavaScript without dependencies, for it runs before there are any.
//
// Invariant: an interrupted or failed step is noticed and done again by the next run. npm packages count as installed only
// with a stamp that is written after npm has ended well; TypeScript keeps its own books.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled, writeStamp } from './install-stamp.mjs';

export const TOP = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_MINIMUM = [20, 19];

/** Bundles the web console, from packages/dashboard/web/src into its dist; under a second. */
export const CONSOLE_BUILD = { script: 'vite/bin/vite.js', args: ['build', 'packages/dashboard/web', '--logLevel', 'warn'] };

/** A failure that the person at the terminal can mend: only its message is shown. */
export class SetupFailure extends Error {}

/** What may have to be installed, and how to see that it is there. */
const PROGRAMS = {
  'redis-server': { packages: ['redis-server', 'redis-tools'], present: () => onPath('redis-server') },
  'redis-cli': { packages: ['redis-tools'], present: () => onPath('redis-cli') },
  nutcracker: { packages: ['nutcracker'], present: () => inSbin('nutcracker') },
  haproxy: { packages: ['haproxy'], present: () => inSbin('haproxy') },
  java: { packages: ['openjdk-17-jre-headless'], present: () => onPath('java') },
  ZooKeeper: { packages: ['libzookeeper-java'], present: () => existsSync('/usr/share/java/zookeeper.jar') },
  'redis-py': fromDebian('python3-redis'),
  'redis-rb': fromDebian('ruby-redis'),
  phpredis: fromDebian('php-redis', 'php-cli'),
  hiredis: fromDebian('libhiredis-dev', 'gcc', 'libc6-dev'),
  'Redis.pm': fromDebian('libredis-perl'),
  'redis-lua': fromDebian('lua-redis', 'lua-socket', 'lua5.1'),
  chromium: { packages: ['chromium'], present: () => onPath('chromium') },
  redigo: fromDebian('golang-github-gomodule-redigo-dev', 'golang-go'),
};

/** What npm run bench measures beside the proxy. */
export const PEERS = ['nutcracker', 'haproxy'];

/** What npm test needs beyond the servers: client libraries of other languages. */
export const CLIENT_LIBRARIES = ['redis-py', 'redis-rb', 'phpredis', 'hiredis', 'Redis.pm', 'redis-lua', 'redigo'];

/** A library that is there when Debian's packages are. */
function fromDebian(...packages) {
  const isInstalled = (name) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own words.
    const { status, stdout } = spawnSync('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name], { encoding: 'utf8' });
    return status === 0 && stdout === 'installed';
  };
  return { packages, present: () => packages.every(isInstalled) };
}

/** Runs `main` after everything it needs is there, and ends the process with the code it gives. */
export async function runWith({ programs, build, main }) {
  try {
    checkNode();
    await installPackages();
    await installPrograms(programs);
    if (build.length > 0) await buildProjects(build);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  }
  process.exit(await main());
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])) return;
  throw new SetupFailure(
    `This is Node ${process.versions.node}; Node ${NODE_MINIMUM.join('.')} or newer is needed. Get it from https://nodejs.org`,
  );
}

/** From an empty node_modules, by the lock and without writing to it. Not `npm ci`: that refuses the whole lock where a registry lacks the
 *  binaries of another platform, which no one here would install. */
async function installPackages() {
  if (isInstalled(TOP)) return;
  console.log('Installing npm packages …');
  rmSync(join(TOP, 'node_modules'), { recursive: true, force: true });
  const code = await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) {
    throw new SetupFailure(
      `npm could not install the packages (exit code ${code}); its reason is above. Mend that and run the same command again.`,
    );
  }
  writeStamp(TOP);
}

/** All that is missing in one apt call, or a sentence that says what to type. */
async function installPrograms(names) {
  const missing = names.filter((name) => !PROGRAMS[name].present());
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((name) => PROGRAMS[name].packages))];
  const byHand = existsSync('/etc/debian_version')
    ? `sudo apt-get install --no-install-recommends ${packages.join(' ')}`
    : `${missing.join(', ')} with your system's package manager`;
  const root = asRoot();
  if (root === null)
    throw new SetupFailure(`${missing.join(' and ')} can't be found. Install it and run the same command again:\n\n  ${byHand}`);
  console.log(`Installing ${packages.join(', ')} from Debian's packages …`);
  const code = await run(...root('sh', ['-c', APT_SCRIPT, 'apt', ...packages]));
  const still = missing.filter((name) => !PROGRAMS[name].present());
  if (code === 0 && still.length === 0) return;
  throw new SetupFailure(
    `apt-get could not install ${still.join(' and ') || packages.join(' and ')} (exit code ${code}); its reason is above. By hand:\n\n  ${byHand}`,
  );
}

/** Debian starts a server as soon as it is installed, and at every boot: a Redis on 6379 that nobody asked for. policy-rc.d forbids the first for as
 *  long as this runs, disabling what was not there before prevents the second. A policy that is there already is the owner's and stays; one of ours, left by a kill -9, goes. */
const APT_SCRIPT = `
policy=/usr/sbin/policy-rc.d
mark='# Written by the setup of Codis while it installs packages; safe to delete.'
new=
for server in redis-server nutcracker haproxy; do command -v "$server" > /dev/null || new="$new $server"; done
if [ ! -e "$policy" ] || grep -qxF "$mark" "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\n%s\\nexit 101\\n' "$mark" > "$policy" && chmod 755 "$policy" || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=120 update -q || exit 1
apt-get -o DPkg::Lock::Timeout=120 install -q -y --no-install-recommends "$@" || exit 1
if [ -d /run/systemd/system ]; then for server in $new; do systemctl disable --quiet "$server" 2>/dev/null || true; done; fi
`;

/** How to run something as root on a Debian; null where that can't be done without asking. */
function asRoot() {
  if (!existsSync('/etc/debian_version') || !onPath('apt-get')) return null;
  if (process.getuid?.() === 0) return (command, args) => [command, args];
  if (onPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) {
    return (command, args) => ['sudo', ['-n', command, ...args]];
  }
  return null;
}

async function buildProjects(projects) {
  const code = await run(process.execPath, [join(TOP, 'node_modules/typescript/bin/tsc'), '-b', ...projects]);
  if (code !== 0) throw new SetupFailure('The build failed; the errors are above.');
  if (projects.includes('packages/dashboard')) await buildConsole();
}

/** Only when something has changed: a dashboard that starts meanwhile would miss the files that are being written anew. */
async function buildConsole() {
  if (isConsoleBuilt()) return;
  const code = await run(process.execPath, [join(TOP, 'node_modules', CONSOLE_BUILD.script), ...CONSOLE_BUILD.args]);
  if (code !== 0) throw new SetupFailure('The web console could not be built; the errors are above.');
}

/** Whether no file that the console is made of is newer than what was made. */
function isConsoleBuilt() {
  const web = join(TOP, 'packages/dashboard/web');
  const built = statSync(join(web, 'dist/index.html'), { throwIfNoEntry: false });
  if (built === undefined) return false;
  const sources = ['src', 'public'].flatMap((dir) => readdirSync(join(web, dir), { recursive: true }).map((file) => join(web, dir, file)));
  const inputs = [...sources, join(web, 'index.html'), join(web, 'vite.config.ts'), join(TOP, 'package-lock.json')];
  return inputs.every((file) => statSync(file).mtimeMs <= built.mtimeMs);
}

/** Runs a step to its end; a signal to this process ends the step first, then this process. */
function run(command, args) {
  const guarded = onPath('setpriv') && command !== 'sudo';
  const [file, ...rest] = guarded ? ['setpriv', '--pdeathsig', 'TERM', '--', command, ...args] : [command, ...args];
  // Its own process group, so that all of it can be ended; sudo stays in ours, where its terminal is.
  const child = spawn(file, rest, { cwd: TOP, stdio: ['ignore', 'inherit', 'inherit'], detached: guarded });
  return new Promise((done) => {
    const stop = (signal) => {
      endGroup(child.pid, guarded);
      child.once('exit', () => process.exit(signal === 'SIGINT' ? 130 : 143));
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, stop);
    const end = (code) => {
      for (const signal of signals) process.off(signal, stop);
      done(code);
    };
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      end(127);
    });
    child.once('exit', (code) => end(code ?? 1));
  });
}

function endGroup(pid, hasGroup) {
  try {
    process.kill(hasGroup ? -pid : pid, 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Debian puts servers where the PATH of most users does not lead. */
function inSbin(name) {
  return onPath(name) || existsSync(`/usr/sbin/${name}`);
}

export function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return dir !== '';
    } catch {
      return false;
    }
  });
}
