// Prometheus' text format, read strictly, and the rules that `promtool check metrics` has for names and help.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

/** Throws an Error that names the line which is not as the format wants it. */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment) {
      const [, what = '', name = '', rest = ''] = comment;
      if (what === 'HELP') helps.set(name, rest);
      else if (families.has(name)) throw new Error(`${name} stands twice`);
      else families.set(name, { name, type: rest, help: helps.get(name) ?? '', samples: [] });
    } else if (line !== '') {
      const sample = parseSample(line);
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels))}`;
      if (seen.has(key)) throw new Error(`the same series stands twice: ${line}`);
      seen.add(key);
      familyOf(families, sample.name, line).samples.push(sample);
    }
  }
  return families;
}

function familyOf(families: ReadonlyMap<string, Family>, name: string, line: string): Family {
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  const last = [...families.values()].at(-1);
  if (!family || family !== last) throw new Error(`does not stand with its TYPE: ${line}`);
  if (family.name !== name && family.type !== 'histogram' && family.type !== 'summary') throw new Error(`no histogram: ${line}`);
  return family;
}

function parseSample(line: string): Sample {
  const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (!parts) throw new Error(`no sample: ${line}`);
  const [, name = '', inner = '', number = ''] = parts;
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number);
  if (Number.isNaN(value) && number !== 'NaN' && number !== 'Nan') throw new Error(`no number: ${line}`);
  const pairs = [...inner.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/g)];
  if (pairs.map(([whole]) => whole).join('') !== inner) throw new Error(`no labels: ${line}`);
  return { name, labels: Object.fromEntries(pairs.map(([, label, text]) => [label, text])), value };
}

const ABBREVIATED = /_(?:s|ms|us|ns|sec|b|kb|mb|gb|pct|num|cnt|msg)(?:_|$)/;
const NOT_BASE =
  /_(?:milliseconds?|microseconds?|micros|nanoseconds?|minutes?|hours?|days?|kilobytes?|megabytes?|kibibytes?|mebibytes?|percent|bits?)(?:_|$)/;

/** What is wrong with each, in a sentence; as promtool has it. */
export function lint(families: Iterable<Family>): string[] {
  return [...families].flatMap(({ name, type, help, samples }) => {
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
    return [
      help === '' && 'has no HELP',
      !['counter', 'gauge', 'histogram', 'summary'].includes(type) && `is a ${type}`,
      type === 'counter' && !name.endsWith('_total') && 'is a counter and does not end in _total',
      type !== 'counter' && name.endsWith('_total') && 'ends in _total and is no counter',
      /_(?:count|sum|bucket)$/.test(name) && type !== 'histogram' && type !== 'summary' && 'ends as a part of a histogram does',
      /[A-Z:]/.test(name) && 'has capitals or colons',
      new RegExp(`_${type}(?:_|$)`).test(name) && 'says its type in its name',
      ABBREVIATED.test(name) && 'has an abbreviated unit',
      NOT_BASE.test(name) && 'has a unit that is no base unit',
      /_(?:seconds|bytes)_(?!total$)/.test(name) && 'has its unit in the middle',
      type !== 'histogram' && labels.has('le') && 'has the label le',
      type === 'histogram' && histogramProblem(samples),
    ].flatMap((problem) => (typeof problem === 'string' ? [`${name} ${problem}`] : []));
  });
}

function histogramProblem(samples: readonly Sample[]): string | false {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const all of series.values()) {
    const buckets = all.filter(({ name }) => name.endsWith('_bucket'));
    const count = all.find(({ name }) => name.endsWith('_count'));
    if (buckets.at(-1)?.labels['le'] !== '+Inf' || buckets.at(-1)?.value !== count?.value)
      return 'does not end in +Inf, or not at its count';
    if (buckets.some(({ value }, index) => value < (buckets[index - 1]?.value ?? 0))) return 'has buckets that go down';
    if (!all.some(({ name }) => name.endsWith('_sum'))) return 'has no sum';
  }
  return false;
}
