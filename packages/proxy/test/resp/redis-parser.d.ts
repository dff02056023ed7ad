// The little of redis-parser 3 that the tests use as an oracle; the package has no types.

declare module 'redis-parser' {
  interface Options {
    readonly returnReply: (reply: unknown) => void;
    readonly returnError: (error: Error) => void;
    readonly returnFatalError?: (error: Error) => void;
    readonly returnBuffers?: boolean;
  }

  class Parser {
    constructor(options: Options);
    execute(chunk: Buffer): void;
  }

  // biome-ignore lint/style/noDefaultExport: that is how the package exports it.
  export default Parser;
}
