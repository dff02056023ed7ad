// Loaded into a proxy before its own code (NODE_OPTIONS): with SIGUSR2 it begins to take a CPU profile, with the next one it writes it to CODIS_BENCH_PROFILE, and so on.

import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const SAMPLE_US = 200;

const to = process.env['CODIS_BENCH_PROFILE'] ?? '';
const session = new Session();
session.connect();
let isTaking = false;

async function toggle(): Promise<void> {
  isTaking = !isTaking;
  if (isTaking) {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
    await session.post('Profiler.start');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  // Whoever waits for it shall find it whole.
  writeFileSync(`${to}.part`, JSON.stringify(profile));
  renameSync(`${to}.part`, to);
}

process.on('SIGUSR2', () => void toggle());
