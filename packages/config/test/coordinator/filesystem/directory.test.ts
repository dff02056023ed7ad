// What the driver makes of a directory that is not as it left it: corrupt, foreign, gone, replaced, or set back to a backup.

import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, scratchDir } from '../../../../../test/harness/process.ts';
import { type FilesystemCoordinator, openFilesystemCoordinator } from '../../../src/coordinator/filesystem/filesystem.ts';
import type { CodisError } from '../../../src/model/index.ts';
import { committed, create, createEphemeral, recordStates, seen, sessionOf, set, Told } from '../contract/environment.ts';

const PRODUCT = 'demo';

function open(dir: string, options: { sessionTimeoutMs?: number; onError?: (error: CodisError) => void } = {}): FilesystemCoordinator {
  const coordinator = openFilesystemCoordinator({ dir, product: PRODUCT, sessionTimeoutMs: 60_000, ...options });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

async function opened(dir: string, options: { sessionTimeoutMs?: number; onError?: (error: CodisError) => void } = {}) {
  const coordinator = open(dir, options);
  await coordinator.ready(10_000);
  return coordinator;
}

/** A path beside `dir` on the same disk. */
const beside = (dir: string): string => join(dir, '..', `${basename(dir)}-beside`);
const newestFile = (dir: string): string => {
  const names = readdirSync(join(dir, PRODUCT)).filter((name) => name.startsWith('state.'));
  return join(dir, PRODUCT, names.sort().at(-1) ?? 'none');
};

describe('what is stored', () => {
  it('can be read by people: JSON, one node per line, values as what they are', async () => {
    const dir = scratchDir('directory');
    const a = await opened(dir);
    await committed(a, create('topology', '{"format":1,"slots":[]}'), create('note', 'plain text'), {
      op: 'create',
      path: 'bytes',
      data: Buffer.from([0xff, 0]),
    });
    const lines = readFileSync(newestFile(dir), 'utf8').split('\n');
    expect(lines).toContain('{"path":"topology","version":0,"changed":2,"json":{"format":1,"slots":[]}},');
    expect(lines).toContain('{"path":"note","version":0,"changed":2,"text":"plain text"},');
    expect(lines).toContain('{"path":"bytes","version":0,"changed":2,"base64":"/wA="}');
    JSON.parse(lines.join('\n'));
  });
});

describe('a directory that is not ours', () => {
  const CORRUPT: readonly (readonly [string, (text: string) => string, string])[] = [
    ['empty', () => '', 'JSON'],
    ['cut short', (text) => text.slice(0, -20), 'JSON'],
    ['not JSON', () => 'hello', 'JSON'],
    ['another JSON', () => '[1,2]', 'not an object'],
    ['of a newer format', (text) => text.replace('"format":1', '"format":2'), 'format is 2'],
    ['of another product', (text) => text.replace('"product":"demo"', '"product":"other"'), 'the product "other"'],
    ['of another version', (text) => text.replace(/"version":\d+/, '"version":99'), 'version 99'],
    ['without nodes', (text) => text.replace('"nodes"', '"knots"'), 'nodes is not an array'],
    ['with a node of nobody', (text) => text.replace(/"id":"[0-9a-f]+"/, '"id":"nobody"'), 'controller belongs to the session'],
  ];

  it.each(CORRUPT)('a newest version that is %s is refused by its file name, with what to do', async (_, spoil, why) => {
    const dir = scratchDir('directory');
    const a = await opened(dir);
    await committed(a, createEphemeral('controller'));
    const file = newestFile(dir);
    const good = readFileSync(file, 'utf8');
    const copy = beside(dir);
    cpSync(dir, copy, { recursive: true });
    writeFileSync(join(copy, PRODUCT, basename(file)), spoil(good));
    const b = open(copy);
    const refusal = await b.ready(10_000).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'CODIS_E_COORDINATOR_CORRUPT' });
    const { message } = refusal as Error;
    expect(message).toContain(basename(file));
    expect(message).toContain(why);
    expect(message).toContain('restore it from a backup');
    expect(readFileSync(join(copy, PRODUCT, basename(file)), 'utf8')).toBe(spoil(good));
  });

  it('one that holds other things is refused, and nothing is written there', async () => {
    const dir = scratchDir('directory');
    mkdirSync(join(dir, PRODUCT));
    writeFileSync(join(dir, PRODUCT, 'thesis.txt'), 'precious');
    const a = open(dir);
    await expect(a.ready(10_000)).rejects.toMatchObject({
      code: 'CODIS_E_COORDINATOR_CORRUPT',
      message: expect.stringContaining('thesis.txt'),
    });
    expect(readdirSync(join(dir, PRODUCT))).toEqual(['thesis.txt']);
  });

  it('other files beside the versions are left alone', async () => {
    const dir = scratchDir('directory');
    const a = await opened(dir);
    const others = ['README', 'state.0000000000000042.bak', 'state.42', '.DS_Store'];
    for (const name of others) writeFileSync(join(dir, PRODUCT, name), 'not ours');
    for (let round = 0; round < 20; round++) await committed(a, create(`n${round}`));
    expect(readdirSync(join(dir, PRODUCT))).toEqual(expect.arrayContaining(others));
  });

  it('a corrupt version found while running suspends the connection, is told once, and mending it resumes', async () => {
    const dir = scratchDir('directory');
    const errors: CodisError[] = [];
    const a = await opened(dir, { onError: (error) => errors.push(error) });
    await committed(a, create('node', 'kept'));
    const session = sessionOf(a);
    const foreign = join(dir, PRODUCT, 'state.0000000000009999');
    writeFileSync(foreign, 'garbage');
    await eventually(() => a.state.kind === 'suspended', { what: 'the corrupt version to be noticed' });
    const corrupt = { code: 'CODIS_E_COORDINATOR_CORRUPT', message: expect.stringContaining(foreign) };
    await expect(a.read('node')).rejects.toMatchObject(corrupt);
    await expect(a.commit([set('node', 'x')])).rejects.toMatchObject(corrupt);
    await expect(a.ready(1000)).rejects.toMatchObject(corrupt);
    unlinkSync(foreign);
    await eventually(() => a.state.kind === 'connected', { what: 'the connection to resume' });
    expect(sessionOf(a)).toBe(session);
    expect(seen(await a.read('node'))).toBe('kept@0');
    expect(errors).toHaveLength(1);
  });
});

describe('a directory that goes away', () => {
  it('for less than the session timeout: sessions, ephemerals and watches go on', async () => {
    const dir = scratchDir('directory');
    const [a, b] = [await opened(dir), await opened(dir)];
    await committed(a, createEphemeral('controller', 'a'));
    const told = new Told<unknown>();
    b.watch('controller', (entry) => told.listener(seen(entry)));
    renameSync(dir, beside(dir));
    for (const each of [a, b]) await eventually(() => each.state.kind === 'suspended', { what: 'the outage' });
    renameSync(beside(dir), dir);
    for (const each of [a, b]) await each.ready(10_000);
    await committed(a, set('controller', 'still a'));
    await told.until('the change', (text) => text === 'still a@1');
  });

  it('for longer: the session is lost, the directory is not made anew, and a new session comes when it is back', async () => {
    const dir = scratchDir('directory');
    const errors: CodisError[] = [];
    const a = await opened(dir, { sessionTimeoutMs: 300, onError: (error) => errors.push(error) });
    await committed(a, createEphemeral('controller'), create('topology', 'kept'));
    const session = sessionOf(a);
    const states = recordStates(a);
    renameSync(dir, beside(dir));
    await eventually(() => a.state.kind === 'lost', { what: 'the session to be lost' });
    expect(() => readdirSync(dir)).toThrow('ENOENT');
    await expect(a.commit([create('x')])).rejects.toMatchObject({
      code: 'CODIS_E_COORDINATOR_LOST',
      message: expect.stringContaining('put it back'),
    });
    renameSync(beside(dir), dir);
    await a.ready(10_000);
    expect(sessionOf(a)).not.toBe(session);
    expect(states.map((state) => state.kind)).toEqual(['suspended', 'lost', 'connected']);
    expect(await a.list('')).toEqual(['topology']);
    expect(errors.map((error) => error.code)).toEqual(['CODIS_E_COORDINATOR_LOST']);
  });

  it('and is made anew by another program: the session is lost, and the watches show the new tree', async () => {
    const dir = scratchDir('directory');
    const a = await opened(dir);
    await committed(a, create('topology', 'old'), createEphemeral('controller'));
    const told = new Told<string | null>();
    a.watch('topology', (entry) => told.listener(seen(entry)));
    await told.until('old', (text) => text === 'old@0');
    const session = sessionOf(a);
    rmSync(dir, { recursive: true });
    const b = await opened(dir);
    await committed(b, create('other'));
    await eventually(() => a.state.kind === 'connected' && a.state.session !== session, { what: 'a new session in the new tree' });
    await told.until('nothing', (text) => text === null);
    expect(await a.list('')).toEqual(['other']);
    await committed(b, create('topology', 'new'));
    await told.until('new', (text) => text === 'new@0');
  });

  it('and is set back to an older backup: the session counts as lost, whatever the backup says', async () => {
    const dir = scratchDir('directory');
    const a = await opened(dir);
    await committed(a, create('topology', 'v0'), createEphemeral('controller'));
    const session = sessionOf(a);
    cpSync(dir, beside(dir), { recursive: true });
    await committed(a, set('topology', 'v1'));
    rmSync(dir, { recursive: true });
    renameSync(beside(dir), dir);
    await eventually(() => a.state.kind === 'connected' && a.state.session !== session, { what: 'a new session' });
    expect(seen(await a.read('topology'))).toBe('v0@0');
    expect(await a.list('')).toEqual(['topology']);
  });

  it('does not keep close from ending', async () => {
    const dir = scratchDir('directory');
    const a = await opened(dir);
    rmSync(dir, { recursive: true });
    await a.close();
    expect(a.state.kind).toBe('closed');
  });
});
