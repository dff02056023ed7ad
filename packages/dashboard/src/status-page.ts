// The plain status page: the status, as a person reads it. Pure HTML, no script; the browser reloads it every few seconds.

import type { EventView, MigrationView, ProxyEntryView, ServerStatusView, SlotRunView, StatusView } from '@codis/config/api';
import { type Html, type HtmlValue, html } from './html.ts';

export interface StatusPage {
  readonly status: StatusView;
  readonly slots: readonly SlotRunView[];
  readonly migrations: readonly MigrationView[];
  readonly events: readonly EventView[];
}

export function statusPage({ status, slots, migrations, events }: StatusPage): Html {
  const alarm = status.verdict === 'healthy' ? '' : '(!) ';
  return layout(
    `${alarm}${status.product}`,
    html`<h1>${status.product}</h1>
<p class="verdict ${status.verdict}">${status.summary}</p>
${list('problem', status.problems)}${list('warning', status.warnings)}
<p>Read at ${status.readAt}${status.epoch === null ? '' : html`, topology at epoch ${status.epoch}`}. This dashboard is ${
      status.elected ? 'the elected controller' : 'not the elected controller'
    }.</p>
<h2>Servers</h2>${servers(status)}
<h2>Slots</h2>${slotTable(slots)}
<h2>Proxies</h2>${proxies(status.proxies)}
<h2>Migrations</h2>${migrationTable(migrations)}
<h2>Last changes</h2>${eventTable(events)}`,
  );
}

/** The page when nothing could be read: it says so instead of showing old numbers. */
export function failurePage(failure: { product: string; what: string; hint: string; at: string }): Html {
  return layout(
    `(!) ${failure.product}`,
    html`<h1>${failure.product}</h1>
<p class="verdict degraded">The state of the cluster is not known: ${failure.what}</p>
<p>What to do: ${failure.hint}.</p><p>Tried at ${failure.at}.</p>`,
  );
}

function layout(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title} - Codis</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="3">
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; }
th { border-bottom: 1px solid; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.verdict { font-size: 1.2rem; padding: 0.5rem 1rem; border-left: 0.4rem solid #888; }
.healthy { border-color: #1a7f37; } .degraded { border-color: #c8102e; }
.down, .problem { font-weight: bold; } .unknown { opacity: 0.6; }
</style></head><body><main>${body}</main></body></html>
`;
}

function list(kind: string, items: readonly string[]): HtmlValue {
  return items.length === 0 ? '' : html`<ul>${items.map((item) => html`<li class="${kind}">${kind}: ${item}</li>`)}</ul>`;
}

function table(head: readonly string[], rows: readonly HtmlValue[], empty: string): HtmlValue {
  if (rows.length === 0) return html`<p>${empty}</p>`;
  return html`<table><thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;
}

function row(...cells: readonly HtmlValue[]): Html {
  return html`<tr>${cells.map((cell) => (typeof cell === 'number' ? html`<td class="number">${cell}</td>` : html`<td>${cell}</td>`))}</tr>`;
}

function servers({ groups }: StatusView): HtmlValue {
  const rows = groups.flatMap(({ id, slotsCount, servers: members }) =>
    members.length === 0
      ? [row(`group ${id}`, slotsCount, html`<span class="problem">no server</span>`, '', '', '', '', '')]
      : members.map((server) => serverRow(id, slotsCount, server)),
  );
  const head = ['Group', 'Slots', 'Server', 'Role', 'State', 'Keys', 'Memory (bytes)', 'Redis'];
  return table(head, rows, 'No group yet. Add one with: codis-config server add 1 localhost:6379 master');
}

function serverRow(group: number, slotsCount: number, server: ServerStatusView): Html {
  const state = server.up ? (server.problem ?? 'up') : html`<span class="down">down</span> ${server.problem ?? ''}`;
  const { addr, role, keysCount, usedMemoryBytes, version } = server;
  return row(`group ${group}`, slotsCount, addr, role, state, keysCount, usedMemoryBytes, version);
}

function slotTable(runs: readonly SlotRunView[]): HtmlValue {
  const rows = runs.map(({ first, last, state, group, to, migration }) =>
    row(
      first === last ? `${first}` : `${first}-${last}`,
      last - first + 1,
      state,
      group === null ? '' : `group ${group}`,
      to === null ? '' : `to group ${to} by migration ${migration}`,
    ),
  );
  return table(['Slots', 'Count', 'State', 'Group', 'Move'], rows, 'No slot table yet. Make it with: codis-config slot init');
}

function proxies(entries: readonly ProxyEntryView[]): HtmlValue {
  const rows = entries.map(({ id, addr, adminAddr, state, epoch }) => row(id, addr, adminAddr, state, epoch));
  return table(['Proxy', 'Clients connect to', 'Admin', 'State', 'Epoch'], rows, 'No proxy is registered. Start one with: codis-proxy');
}

function migrationTable(migrations: readonly MigrationView[]): HtmlValue {
  const rows = [...migrations]
    .reverse()
    .slice(0, 20)
    .map(({ id, state, slotsDone, slotsTotal, waiting, createdAt, actor }) =>
      row(`${id}`, state, `${slotsDone}/${slotsTotal} slots`, waiting ?? '', createdAt, actor),
    );
  return table(['Migration', 'State', 'Progress', 'Waiting for', 'Created', 'By'], rows, 'None yet.');
}

function eventTable(events: readonly EventView[]): HtmlValue {
  const rows = events.map(({ at, actor, action, object }) => row(at, actor, action, object));
  return table(['When', 'Who', 'What', 'On'], rows, 'None yet.');
}
