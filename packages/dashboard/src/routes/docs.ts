// The API as a page, made of its own description: what there is, for who has no network to look it up. Plain HTML, no script.

import type { App } from '../context.ts';

interface Described {
  readonly summary?: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; description?: string; schema?: object }[];
  readonly requestBody?: { readonly content?: Record<string, { schema?: object }> };
  readonly responses?: Record<string, { content?: Record<string, { schema?: object }> }>;
}

const STYLE =
  'body{font:14px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}code,pre{font:13px/1.4 ui-monospace,monospace}pre{overflow:auto;max-height:24rem}h2{margin:2rem 0 0;font-size:1rem}';

export function docsRoutes(app: App): void {
  app.get('/api/docs', { config: { access: 'public' }, schema: { hide: true } }, async (_, reply) => {
    const { paths } = app.swagger() as { paths?: Record<string, Record<string, Described>> };
    return reply.type('text/html; charset=utf-8').send(docsPage(paths ?? {}));
  });
}

/** Pure. */
export function docsPage(paths: Readonly<Record<string, Readonly<Record<string, Described>>>>): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(`${method.toUpperCase()} ${path}`, operation)),
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Codis API</title><style>${STYLE}</style></head>
<body><main><h1>The dashboard’s HTTP API</h1>
<p>The same as a machine reads it: <a href="/api/openapi.json">/api/openapi.json</a>. Every failure is <code>application/problem+json</code>, with a code, what to do, and whether trying again can help.
What is new is told at <code>GET /api/v1/live</code>, as server-sent events.</p>
${operations.join('\n')}
</main></body></html>`;
}

function section(title: string, { summary = '', parameters = [], requestBody, responses }: Described): string {
  const rows = parameters.map(
    ({ name, in: where, required, description = '' }) =>
      `<li><code>${escaped(name)}</code> (${where}${required ? '' : ', optional'}) ${escaped(description)}</li>`,
  );
  const body = schemaOf(requestBody?.content);
  const answer = schemaOf(responses?.['200']?.content);
  return `<h2><code>${escaped(title)}</code></h2><p>${escaped(summary)}</p>${rows.length > 0 ? `<ul>${rows.join('')}</ul>` : ''}${details('Body', body)}${details('Answer', answer)}`;
}

function details(what: string, schema: object | undefined): string {
  return schema ? `<details><summary>${what}</summary><pre>${escaped(JSON.stringify(schema, null, 2))}</pre></details>` : '';
}

function schemaOf(content: Record<string, { schema?: object }> | undefined): object | undefined {
  return content?.['application/json']?.schema;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? '');
}
