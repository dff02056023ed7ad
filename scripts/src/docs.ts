// Everything in the repository that is written from a table in the code. tidy holds the committed files against these texts;
// `npm run docs` writes them.

import { ERROR_KINDS } from '@codis/config/model';
import { renderConfigDocs, renderConfigIni } from '@codis/config/settings';
import { renderCliDocs } from './cli-page.ts';
import { renderCommandDocs } from './commands-page.ts';

/** Path from the top of the repository → what the file must hold. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['config.ini', renderConfigIni()],
    ['docs/cli.md', renderCliDocs()],
    ['docs/commands.md', renderCommandDocs()],
    ['docs/config.md', renderConfigDocs()],
    ['docs/errors.md', renderErrorDocs()],
  ]);
}

function renderErrorDocs(): string {
  const out = [
    '# Errors',
    '',
    '<!-- Written from packages/config/src/model/errors.ts by `npm run docs`; change it there. -->',
    '',
    'Every failure that can be expected has a code. The dashboard answers with it as RFC 9457 problem details (`code`), `codis-config`',
    'prints it and exits with the number shown. "Retry" says whether the same call can succeed later with nothing changed by the caller.',
    '',
    'Exit codes of `codis-config`: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 unreachable, 6 denied, 7 unhealthy, 8 timeout,',
    '9 cancelled.',
  ];
  for (const [code, { status, exit, retryable, title, hint }] of Object.entries(ERROR_KINDS)) {
    out.push(
      '',
      `## \`${code}\``,
      '',
      `${title}. HTTP ${status}, exit ${exit}, ${retryable ? 'retry' : 'no retry'}.`,
      '',
      `What to do: ${hint}.`,
    );
  }
  return `${out.join('\n')}\n`;
}
