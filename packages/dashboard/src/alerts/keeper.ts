// The alerts of this dashboard: looked at with every look at the cluster, and what people said to them.

import type { AlertsView } from '@codis/config/api';
import { type Coordinator, PATHS } from '@codis/config/coordinator';
import { CodisError } from '@codis/config/model';
import { type AlertNotes, acknowledgeAlert, type Caller, readAlertNotes, silenceAlert } from '@codis/config/operations';
import type { Logger } from 'pino';
import { type Alerts, advance, alertsView, isPending, isSilent, news, tidings } from './machine.ts';
import { conditionsFor, type Facts } from './rules.ts';
import type { Webhook } from './webhook.ts';

/** How often who forgets alerts that are not told again (Alertmanager) is told all that fire. */
const REPEAT_MS = 60_000;

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
  /** What the webhook was told of: by this dashboard, or by the one that was elected then. */
  #told: ReadonlySet<string> = new Set();
  #repeatedMs = 0;

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
    const { log, onFired } = this.#options;
    for (const { id, condition } of fired) {
      log.warn({ alert: id, text: condition.text }, 'an alert fires');
      onFired(condition.text);
    }
    for (const { id } of resolved) log.info({ alert: id }, 'an alert is over');
    this.#tell(performance.now());
  }

  #tell(nowMs: number): void {
    const { webhook, elected } = this.#options;
    const { fresh, over, told } = tidings(this.#told, this.#alerts, (id) => isSilent(this.#notes, id, Date.now()));
    this.#told = told;
    if (!webhook || !elected()) return;
    const again = webhook.forgets && nowMs - this.#repeatedMs >= REPEAT_MS;
    if (again) this.#repeatedMs = nowMs;
    const firing = again ? [...told].flatMap((id) => this.#alerts.get(id) ?? []) : fresh;
    webhook.send([...firing, ...over]);
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
