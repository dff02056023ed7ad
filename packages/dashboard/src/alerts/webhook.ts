// Tells somebody of alerts. To a URL that ends in /api/v2/alerts they are sent as a Prometheus sends them to an Alertmanager; to any other in the form of Alertmanager's own
// webhooks (version 4), so that what understands those understands this. Only the elected dashboard sends.
//
// Best effort, one at a time and in order: what could not be sent is tried again a few times, then given up and logged. The alerts are in the API all the same.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Logger } from 'pino';
import type { Followed } from './machine.ts';

const ATTEMPTS_MAX = 4;
const RETRY_MS = 2000;
const ANSWER_MS = 5000;
const WAITING_MAX = 100;

export interface WebhookOptions {
  readonly url: string;
  readonly product: string;
  /** Where the console shows the product: `http://127.0.0.1:18087/c/demo`; null: not known by one address. */
  readonly consoleUrl: string | null;
  readonly log: Logger;
  /** Before the second attempt; then longer each time. */
  readonly retryMs?: number;
}

export class Webhook {
  readonly #options: WebhookOptions;
  readonly #waiting: string[] = [];
  #sending = false;
  #closed = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** Whether it is an Alertmanager, which takes for over what it is not told of again. */
  get forgets(): boolean {
    return isAlertmanager(this.#options.url);
  }

  /** Takes them for sending, and returns at once. */
  send(alerts: readonly Followed[]): void {
    if (alerts.length === 0 || this.#closed) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift();
      this.#options.log.error({ url: this.#options.url }, 'alerts could not be sent for so long that the oldest are given up');
    }
    const { url } = this.#options;
    this.#waiting.push(JSON.stringify(isAlertmanager(url) ? alertmanagerBody(alerts, this.#options) : webhookBody(alerts, this.#options)));
    if (!this.#sending) void this.#sendAll();
  }

  close(): void {
    this.#closed = true;
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    for (let body = this.#waiting.shift(); body !== undefined && !this.#closed; body = this.#waiting.shift()) await this.#deliver(body);
    this.#sending = false;
  }

  async #deliver(body: string): Promise<void> {
    const { url, log, retryMs = RETRY_MS } = this.#options;
    for (let attempt = 1; !this.#closed; attempt++) {
      try {
        await post(url, body);
        return;
      } catch (error) {
        if (attempt >= ATTEMPTS_MAX) {
          log.error({ err: error, url }, 'alerts could not be sent');
          return;
        }
        await new Promise((next) => setTimeout(next, retryMs * attempt).unref());
      }
    }
  }
}

type From = Pick<WebhookOptions, 'product' | 'consoleUrl'>;

/** Source: Alertmanager, template.Data and webhook.Message. */
export function webhookBody(alerts: readonly Followed[], from: From) {
  const { product, consoleUrl } = from;
  const firing = alerts.some(({ resolved }) => !resolved);
  return {
    version: '4',
    groupKey: `codis:${product}`,
    truncatedAlerts: 0,
    status: firing ? 'firing' : 'resolved',
    receiver: 'codis',
    groupLabels: { product },
    commonLabels: { product },
    commonAnnotations: {},
    externalURL: consoleUrl ?? '',
    alerts: alerts.map((alert) => ({
      status: alert.resolved ? 'resolved' : 'firing',
      ...described(alert, from),
      endsAt: alert.resolved?.at ?? '0001-01-01T00:00:00Z',
      fingerprint: alert.id,
    })),
  };
}

/** Source: Alertmanager's API v2, postableAlerts. One without an end is over when it was not sent again for a while. */
export function alertmanagerBody(alerts: readonly Followed[], from: From) {
  return alerts.map((alert) => ({ ...described(alert, from), ...(alert.resolved ? { endsAt: alert.resolved.at } : {}) }));
}

function described({ id, condition: { rule, severity, object, text, why, try: tries }, since }: Followed, { product, consoleUrl }: From) {
  return {
    labels: {
      alertname: rule,
      product,
      severity: severity === 'problem' ? 'critical' : 'warning',
      object: `${object.kind} ${object.id}`.trim(),
    },
    annotations: { summary: text, description: why, runbook: tries[0]?.cli ?? tries[0]?.label ?? '' },
    startsAt: since.at,
    generatorURL: consoleUrl === null ? '' : `${consoleUrl}/alerts/${encodeURIComponent(id)}`,
  };
}

const isAlertmanager = (url: string): boolean => /\/api\/v2\/alerts\/?(?:\?.*)?$/.test(url);

function post(url: string, body: string): Promise<void> {
  return new Promise((done, failed) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = send(url, { method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      response.on('error', failed);
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) done();
        else failed(new Error(`the webhook answered ${statusCode}`));
      });
    });
    const late = setTimeout(() => outgoing.destroy(new Error(`the webhook did not answer in ${ANSWER_MS} ms`)), ANSWER_MS);
    outgoing.on('error', failed);
    outgoing.on('close', () => clearTimeout(late));
    outgoing.end(body);
  });
}
