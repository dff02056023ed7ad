// Memory of WebAssembly, for its one instruction that copies: from JavaScript it takes 7 ns, however short or long, and `copyWithin` 15 to 25 (Node 20).

const WASM_PAGE_BYTES = 64 * 1024;

/** (module
 *    (import "m" "m" (memory 0))
 *    (func (export "c") (param $at i32) (param $start i32) (param $bytes i32)
 *      (memory.copy (local.get $at) (local.get $start) (local.get $bytes)))) */
const COPY = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // WebAssembly, version 1
    [0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00], // types: one, (i32, i32, i32) → ()
    [0x02, 0x08, 0x01, 0x01, 0x6d, 0x01, 0x6d, 0x02, 0x00, 0x00], // imports: one, "m" "m", a memory
    [0x03, 0x02, 0x01, 0x00], // functions: one, of type 0
    [0x07, 0x05, 0x01, 0x01, 0x63, 0x00, 0x00], // exports: one, "c", function 0
    [0x0a, 0x0e, 0x01, 0x0c, 0x00], // code: one, without locals
    [0x20, 0x00, 0x20, 0x01, 0x20, 0x02], // local.get 0, 1, 2
    [0xfc, 0x0a, 0x00, 0x00, 0x0b], // memory.copy, end
  ].flat(),
);

type Copy = (at: number, start: number, bytes: number) => void;

/** As far as it is used here; the types of Node leave it out. */
interface WebAssemblyApi {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { m: { m: object } }) => { readonly exports: { readonly c: Copy } };
}

export interface WasmMemory {
  readonly bytes: Buffer;
  /** HOT PATH. Copies `bytes` of it from `start` to `at`. */
  readonly copy: Copy;
}

/** `bytes` of memory, a multiple of 64 KB, at a fixed place. V8 keeps 10 GB of addresses free for it, of which nothing is used: where a process may not have so many
 *  (`ulimit -v`), or there is no WebAssembly (`--jitless`), it is memory as any other, and copies cost what they cost there. */
export function wasmMemory(bytes: number): WasmMemory {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyApi };
  if (WebAssembly === undefined) return plainMemory(bytes);
  const pages = bytes / WASM_PAGE_BYTES;
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(COPY), { m: { m: memory } });
    return { bytes: Buffer.from(memory.buffer), copy: exports.c };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return plainMemory(bytes);
  }
}

function plainMemory(bytes: number): WasmMemory {
  const memory = Buffer.allocUnsafeSlow(bytes);
  return { bytes: memory, copy: (at, start, length) => void memory.copyWithin(at, start, start + length) };
}
