// Server-sent events out of a stream of text. Read by hand and not by an EventSource, for that hides the status of an answer and the comments that
// say the other side is alive.

export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

/** Keeps what is not complete yet for the next piece. */
export class SseParser {
  #rest = '';

  push(text: string): SseEvent[] {
    const blocks = (this.#rest + text).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? '';
    return blocks.map(parseBlock).filter((event) => event !== null);
  }
}

/** Null for comments. */
function parseBlock(block: string): SseEvent | null {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const match = /^(event|data): ?(.*)$/.exec(line);
    if (match?.[1] === 'event') event = match[2] ?? '';
    else if (match?.[1] === 'data') data.push(match[2] ?? '');
  }
  return data.length === 0 ? null : { event, data: data.join('\n') };
}
