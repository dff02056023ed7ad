// Questions to a person at a terminal.

import { createInterface } from 'node:readline/promises';
import { readSecret } from './credentials.ts';
import { badUsage } from './failures.ts';

/** Whether the answer is yes; anything else, or no answer, is no. */
export async function agreed(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } catch {
    return false;
  } finally {
    prompt.close();
  }
}

/** The password in `file`, or one that is typed and not shown. Throws CODIS_E_BAD_REQUEST where nobody can be asked. */
export async function askPassword({ file, question }: { file: string | undefined; question: string }): Promise<string> {
  if (file !== undefined) return readSecret(file);
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw badUsage('there is no terminal to ask for the password at; name a file that has it, with --password-file or --new-password-file');
  }
  stderr.write(question);
  stdin.setRawMode(true);
  try {
    return await typed();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

/** Everything up to Enter. Throws CODIS_E_BAD_REQUEST when it is broken off. */
function typed(): Promise<string> {
  let text = '';
  return new Promise((done, failed) => {
    const onData = (chunk: Buffer) => {
      for (const char of chunk.toString('utf8')) {
        if (char === '\r' || char === '\n') return settle(() => done(text));
        if (char === '\x03' || char === '\x04') return settle(() => failed(badUsage('no password was given')));
        text = char === '\x7f' || char === '\b' ? text.slice(0, -1) : text + char;
      }
    };
    const settle = (end: () => void) => {
      process.stdin.off('data', onData);
      end();
    };
    process.stdin.on('data', onData);
  });
}
