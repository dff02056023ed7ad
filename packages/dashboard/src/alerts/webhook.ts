// Tells somebody of alerts: a POST in the form of Alertmanager's webhooks (version 4), so that what understands those understands this. Only the elected dashboard sends.
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

  /** Takes them for sending, and returns at once. */
  send(alerts: readonly Followed[]): void {
    if (alerts.length === 0 || this.#closed) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift();
      this.#options.log.error({ url: this.#options.url }, 'alerts could not be sent for so long that the oldest are given up');
    }
    this.#waiting.push(JSON.stringify(webhookBody(alerts, this.#options.product)));
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

/** Source: Alertmanager, template.Data and webhook.Message. */
export function webhookBody(alerts: readonly Followed[], product: string) {
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
    externalURL: '',
    alerts: alerts.map(({ id, condition, since, resolved }) => ({
      status: resolved ? 'resolved' : 'firing',
      labels: {
        alertname: condition.rule,
        product,
        severity: condition.severity === 'problem' ? 'critical' : 'warning',
        object: `${condition.object.kind} ${condition.object.id}`.trim(),
      },
      annotations: { summary: condition.text, description: condition.why, runbook: condition.try[0]?.cli ?? condition.try[0]?.label ?? '' },
      startsAt: since.at,
      endsAt: resolved?.at ?? '0001-01-01T00:00:00Z',
      generatorURL: '',
      fingerprint: id,
    })),
  };
}

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
