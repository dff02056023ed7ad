// What a CPU profile of V8 says, summed up by where the code is. Pure.

/** Of the Chrome DevTools protocol, as far as it is used here. */
export interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string } }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly where: string;
  readonly micros: number;
}

const WRITES = new Set(['writeBuffer', 'writev', 'writeUtf8String', 'writeLatin1String', 'shutdown']);
const PROGRAM = '(program)';
const GC = '(garbage collector)';
/** Node says that V8 is idle from when it asks the kernel for events until it handles one, and it reads from sockets in between: so this is not all idle. `dispatch` is the profiler
 *  itself. */
const NOT_COUNTED = new Set(['(idle)', 'dispatch']);

/** The largest first; without what is done while V8 is idle, reading from sockets above all. */
export function selfTimes({ nodes, samples, timeDeltas }: Profile): SelfTime[] {
  const whereOf = new Map(nodes.map(({ id, callFrame }) => [id, place(callFrame)]));
  const times = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const where = whereOf.get(id) ?? null;
    if (where !== null) times.set(where, (times.get(where) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return [...times].map(([where, micros]) => ({ where, micros })).toSorted((a, b) => b.micros - a.micros);
}

/** Null: not counted. */
function place({ functionName, url }: { readonly functionName: string; readonly url: string }): string | null {
  if (NOT_COUNTED.has(functionName) && url === '') return null;
  if (functionName === GC) return 'garbage collection';
  if (functionName === PROGRAM) return 'C++ of Node and V8';
  if (WRITES.has(functionName)) return 'writing to sockets (system calls)';
  if (url === '' || url.startsWith('node:')) return 'Node: streams, buffers, timers';
  return url.replace(/^.*\/packages\/(\w+)\/dist\//, '$1 ').replace(/\.js$/, '');
}
