// The alerts of this dashboard: looked at with every look at the cluster, and what people said to them.

import type { AlertsView } from '@codis/config/api';
import { type Coordinator, PATHS } from '@codis/config/coordinator';
import { CodisError } from '@codis/config/model';
import { type AlertNotes, acknowledgeAlert, type Caller, readAlertNotes, silenceAlert } from '@codis/config/operations';
import type { Logger } from 'pino';
import { type Alerts, advance, alertsView, isPending, news } from './machine.ts';
import { conditionsFor, type Facts } from './rules.ts';
import type { Webhook } from './webhook.ts';

export interface AlertKeeperOptions {
  readonly coordinator: Coordinator;
  readonly log: Logger;
  /** Null: nobody is told. */
  readonly webhook: Webhook | null;
  /** Whether this dashboard is the one that tells. */
  elected(): boolean;
  /** One began to fire. */
  onFired(text: string): void;
}

export class AlertKeeper {
  readonly #options: AlertKeeperOptions;
  #alerts: Alerts = new Map();
  #notes: AlertNotes = new Map();
  #evaluatedAt: string | null = null;

  constructor(options: AlertKeeperOptions) {
    this.#options = options;
  }

  get view(): AlertsView {
    return alertsView(this.#alerts, this.#notes, { now: Date.now(), evaluatedAt: this.#evaluatedAt });
  }

  /** One is about to fire. */
  get isPending(): boolean {
    return isPending(this.#alerts);
  }

  async evaluate(facts: Omit<Facts, 'hasController'>): Promise<void> {
    const hasController = facts.status ? await this.#readAside() : null;
    const at = new Date().toISOString();
    const before = this.#alerts;
    this.#alerts = advance(before, conditionsFor({ ...facts, hasController }), { ms: performance.now(), at });
    this.#evaluatedAt = at;
    const { fired, resolved } = news(before, this.#alerts);
    const { log, webhook, elected, onFired } = this.#options;
    for (const { id, condition } of fired) {
      log.warn({ alert: id, text: condition.text }, 'an alert fires');
      onFired(condition.text);
    }
    for (const { id } of resolved) log.info({ alert: id }, 'an alert is over');
    if (webhook && elected()) webhook.send([...fired, ...resolved]);
  }

  /** Throws CODIS_E_UNKNOWN_ALERT, or as the coordinator does. */
  async acknowledge(caller: Caller, id: string): Promise<AlertsView> {
    this.#require(id);
    this.#notes = await acknowledgeAlert(caller, { id });
    return this.view;
  }

  /** As `acknowledge`. */
  async silence(caller: Caller, { id, minutes }: { id: string; minutes: number }): Promise<AlertsView> {
    this.#require(id);
    this.#notes = await silenceAlert(caller, { id, minutes });
    return this.view;
  }

  #require(id: string): void {
    if (!this.#alerts.has(id)) throw new CodisError('CODIS_E_UNKNOWN_ALERT', `there is no alert ${id}`);
  }

  /** What the coordinator knows besides; null when it can't be asked. */
  async #readAside(): Promise<boolean | null> {
    const { coordinator, log } = this.#options;
    try {
      this.#notes = await readAlertNotes(coordinator);
      return (await coordinator.read(PATHS.controller)) !== null;
    } catch (error) {
      log.debug({ err: error }, 'the notes on alerts could not be read');
      return null;
    }
  }
}
