// What slots hold, from looking through servers when somebody asks for it: that costs them time, so it is not done by itself, and not twice at once.

import type { BigKeysView, SlotStatsView } from '@codis/config/api';
import type { Topology } from '@codis/config/model';
import { type Caller, type KeySurvey, surveyKeys } from '@codis/config/operations';
import { servingGroup } from '@codis/config/status';
import type { SlotRates } from './slot-rates.ts';

/** Who asks again within this time gets what is known. */
const FRESH_MS = 10_000;

/** What one look told; nothing before the first. */
export class Known {
  readonly #survey: KeySurvey | null;
  readonly #at: string | null;

  constructor(survey: KeySurvey | null, at: string | null) {
    this.#survey = survey;
    this.#at = at;
  }

  /** A slot whose group could not be asked, or that has moved since, is not known. */
  statsOf(topology: Topology, rates: SlotRates): Omit<SlotStatsView, 'epoch'> {
    const keysCount: (number | null)[] = [];
    const bytes: (number | null)[] = [];
    for (const [slot, state] of topology.slots.entries()) {
      const group = servingGroup(state);
      const found = group === null || state.kind !== 'online' ? undefined : this.#survey?.groups.get(group);
      keysCount.push(found?.keysBySlot[slot] ?? null);
      bytes.push(found?.bytesBySlot?.[slot] ?? null);
    }
    return { at: this.#at, keysCount, bytes, opsPerSecond: rates.opsPerSecond, basis: [...this.#basis, rates.basis] };
  }

  bigKeys(limit: number): BigKeysView {
    const keys = [...(this.#survey?.groups ?? [])].flatMap(([group, { biggestBySlot }]) =>
      [...biggestBySlot.values()].map(({ key, slot, db, bytes }) => ({ key, slot, group, db, bytes })),
    );
    return { at: this.#at, keys: keys.toSorted((a, b) => b.bytes - a.bytes).slice(0, limit), basis: this.#basis };
  }

  get #basis(): string[] {
    return this.#survey ? [...this.#survey.basis] : ['servers were not looked through since this dashboard started'];
  }
}

export class Surveys {
  #known = new Known(null, null);
  #atMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<Known> | null = null;

  get known(): Known {
    return this.#known;
  }

  /** Looks now, unless that was done a moment ago. Throws CODIS_E_NOT_INITIALISED. */
  refresh(caller: Caller): Promise<Known> {
    if (performance.now() - this.#atMs < FRESH_MS) return Promise.resolve(this.#known);
    this.#underWay ??= this.#look(caller).finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #look(caller: Caller): Promise<Known> {
    const survey = await surveyKeys(caller);
    this.#known = new Known(survey, new Date().toISOString());
    this.#atMs = performance.now();
    return this.#known;
  }
}
