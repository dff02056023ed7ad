import { describe, expect, test } from 'vitest';
import {
  type FlagValues,
  parseSettings,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
} from '../../src/settings/index.ts';

function settingsOf(text: string, flags: FlagValues = {}): Settings {
  const parsed = parseSettings({ text, flags });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.settings;
}

function problemsOf(text: string, flags: FlagValues = {}): string[] {
  const parsed = parseSettings({ text, flags });
  if (parsed.ok) return [];
  return parsed.problems.map(({ line, key, message }) => `${line ?? '-'} ${key ?? '-'} ${message}`);
}

const DEFAULTS = settingsOf('');

/** A value of each type that is not the default, in text and as it is read. */
function another(setting: Setting): [string, unknown] {
  switch (setting.type) {
    case 'string':
      return ['other_1', 'other.example:1', 'http://other.example/1'].flatMap((text) =>
        setting.pattern?.test(text) === false ? [] : [[text, text]],
      )[0] as [string, string];
    case 'enum': {
      const value = setting.values.find((candidate) => candidate !== setting.default)!;
      return [value, value];
    }
    case 'integer':
    case 'auto-integer':
      return [String(setting.min + 1), setting.min + 1];
    case 'address':
      return ['Example.COM:7777', 'example.com:7777'];
    case 'addresses':
      return ['a:1, b:2', ['a:1', 'b:2']];
    case 'networks':
      return ['10.0.0.7, FD00::/8,192.168.0.0/16', ['10.0.0.7', 'fd00::/8', '192.168.0.0/16']];
  }
}

describe('every key', () => {
  const defaultOf: Record<string, unknown> = Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].default]));

  test('has its default in an empty file', () => {
    expect(DEFAULTS).toEqual(defaultOf);
  });

  test.each(SETTING_NAMES)('%s is read from the file and from a flag, and changes nothing else', (name) => {
    const [text, value] = another(SETTINGS[name]);
    expect(settingsOf(`${name} = ${text}`)).toEqual({ ...DEFAULTS, [name]: value });
    expect(settingsOf('', { [name]: text })).toEqual({ ...DEFAULTS, [name]: value });
  });

  test.each(SETTING_NAMES)('%s given as a flag wins over the file', (name) => {
    const [text, value] = another(SETTINGS[name]);
    const inFile = SETTINGS[name].type === 'addresses' ? 'x:1' : String(SETTINGS[name].default);
    expect(settingsOf(`${name} = ${inFile}`, { [name]: text })[name]).toEqual(value);
  });
});

describe('a range', () => {
  const ranges = SETTING_NAMES.flatMap((name) => {
    const setting: Setting = SETTINGS[name];
    return setting.type === 'integer' || setting.type === 'auto-integer' ? [{ name, min: setting.min, max: setting.max }] : [];
  });

  test.each(ranges)('of $name goes from $min to $max, both included', ({ name, min, max }) => {
    for (const value of [min, min + 1, max - 1, max]) expect(settingsOf(`${name} = ${value}`)[name]).toBe(value);
    for (const value of [min - 1, max + 1]) {
      expect(problemsOf(`${name} = ${value}`)).toEqual([
        expect.stringMatching(`1 ${name} ${value} is out of range.*from ${min} to ${max}`),
      ]);
    }
  });

  test.each(['', 'x', '1.5', '1e3', '0x10', '64mb', '१', '+1', '9'.repeat(30)])('does not hold %j, which is no whole number', (text) => {
    expect(problemsOf(`max_clients = ${text}`)).toEqual([expect.stringMatching(/is not a whole number of clients from 1 to 1000000/)]);
  });

  test('of workers includes auto', () => {
    expect(settingsOf('workers = auto').workers).toBe('auto');
    expect(problemsOf('workers = many')).toEqual([expect.stringMatching(/"many" is not auto or a whole number of processes/)]);
  });
});

describe('a bad value', () => {
  const cases: [SettingName, string, RegExp][] = [
    ['coordinator', 'etcd', /"etcd" is not one of filesystem, zookeeper/],
    ['coordinator', '', /nothing is not one of filesystem/],
    ['log_level', 'INFO', /is not one of debug, info/],
    ['product_name', 'a/b', /"a\/b" is not 1 to 64 of A-Z/],
    ['product_name', 'x'.repeat(65), /is not 1 to 64/],
    ['proxy_id', '', /nothing is not 1 to 64/],
    ['proxy_id', '..', /is not 1 to 64/],
    ['product_name', '.', /is not 1 to 64/],
    ['proxy_addr', '19000', /"19000" is not an address: write host:port/],
    ['proxy_addr', ':19000', /is not an address/],
    ['proxy_addr', 'localhost:0', /is not an address/],
    ['proxy_addr', 'localhost:65536', /is not an address/],
    ['zk', '', /is not an address/],
    ['zk', 'a:1,,b:2', /is not an address/],
    ['zk', 'a:1,A:1', /a:1 is there twice/],
    ['dashboard_trusted_proxies', 'loopback', /"loopback" is neither an address nor a network/],
    ['dashboard_trusted_proxies', '10.0.0.1:80', /is neither an address nor a network/],
    ['dashboard_trusted_proxies', '10.0.0', /is neither an address nor a network/],
    ['dashboard_trusted_proxies', '10.0.0.0/33', /is neither an address nor a network/],
    ['dashboard_trusted_proxies', 'fd00::/129', /is neither an address nor a network/],
    ['dashboard_trusted_proxies', '10.0.0.0/', /is neither an address nor a network/],
    ['dashboard_trusted_proxies', '10.0.0.1,', /nothing is neither an address nor a network/],
    ['dashboard_trusted_proxies', '::1,::1', /::1 is there twice/],
    ['dashboard_trusted_proxies', '0.0.0.0/0', /0\.0\.0\.0\/0 is every address there is/],
    ['dashboard_trusted_proxies', '::/0', /is every address there is/],
  ];
  test.each(cases)('%s = %s is refused', (name, text, reason) => {
    expect(problemsOf(`${name} = ${text}`)).toEqual([expect.stringMatching(reason)]);
    expect(problemsOf('', { [name]: text })).toEqual([expect.stringMatching(new RegExp(`^- --${name.replaceAll('_', '-')} `))]);
  });
});

describe('an unknown key', () => {
  test.each([
    ['prody_name = x', 'did you mean product_name?'],
    ['PROXY_ADDR = a:1', 'did you mean proxy_addr?'],
    ['max-clients = 1', 'did you mean max_clients?'],
    ['product = test', 'did you mean product_name?'],
    ['password = x', 'did you mean product_auth?'],
    ['toString = 1', 'docs/config.md lists them all'],
    ['jodis_addr = x', 'docs/config.md lists them all'],
  ])('%j is answered with: %s', (text, answer) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(answer)]);
  });
});

describe('all problems', () => {
  test('come at once, in the order of the file, flags last', () => {
    const text = 'max_clients = 0\nnonsense\nworker = 4\nproxy_id = a\nproxy_id = b\n[proxy]';
    expect(problemsOf(text, { log_level: 'loud' })).toEqual([
      expect.stringMatching(/^1 max_clients 0 is out of range/),
      expect.stringMatching(/^2 - "nonsense" is not/),
      expect.stringMatching(/^3 worker there is no such key; did you mean workers\?/),
      expect.stringMatching(/^5 proxy_id is set in line 4 already/),
      expect.stringMatching(/^6 - \[proxy\] looks like a section/),
      expect.stringMatching(/^- --log-level "loud" is not one of/),
    ]);
  });

  test('never repeat a secret', () => {
    const parsed = parseSettings({ text: 'session_auth = hunter2\nsession_auth = hunter2\nproduct_auth = "hunter2' });
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

describe('between keys', () => {
  test('two addresses that are the same are refused, at the line of the later key', () => {
    expect(problemsOf('dashboard_addr = h:1\nproxy_addr = H:1')).toEqual([
      "2 proxy_addr h:1 is dashboard_addr already; two things can't listen in one place",
    ]);
    expect(problemsOf('admin_addr = 127.0.0.1:19000')).toEqual([expect.stringMatching(/^1 admin_addr .* is proxy_addr already/)]);
  });

  test('an address of all interfaces collides with every address of its port', () => {
    expect(problemsOf('proxy_addr = 0.0.0.0:18087')).toEqual([expect.stringMatching(/is dashboard_addr already/)]);
    expect(problemsOf('proxy_addr = [::]:18087')).toEqual([expect.stringMatching(/is dashboard_addr already/)]);
    expect(problemsOf('proxy_addr = 10.0.0.1:18087')).toEqual([]);
  });

  test('what a proxy announces is an address that others can connect to', () => {
    expect(problemsOf('proxy_announce_addr = [::1]:19000')).toEqual([]);
    expect(problemsOf('proxy_announce_addr = redis.example:19000')).toEqual([]);
    expect(problemsOf('proxy_announce_addr = 0.0.0.0:19000')).toEqual([expect.stringMatching(/every address of a machine/)]);
    expect(problemsOf('proxy_announce_addr = h:2\nadmin_addr = h:2\nproxy_addr = h:1')).toEqual([
      '1 proxy_announce_addr h:2 is admin_addr; clients are taken at proxy_addr, h:1',
    ]);
    expect(problemsOf('proxy_announce_addr = h:0')).toEqual([expect.stringMatching(/no port between 1 and 65535/)]);
    expect(problemsOf('proxy_announce_addr = h')).toEqual([expect.stringMatching(/host:port, or empty/)]);
  });

  test('an IPv6 literal is refused for ZooKeeper only when ZooKeeper is used', () => {
    expect(problemsOf('coordinator = zookeeper\nzk = [::1]:2181')).toEqual([
      expect.stringMatching(/^2 zk \[::1\]:2181 is an IPv6 address/),
    ]);
    expect(problemsOf('zk = [::1]:2181')).toEqual([]);
  });

  test('a rule looks at flags and file together', () => {
    expect(problemsOf('proxy_addr = h:1', { admin_addr: 'h:1' })).toEqual([
      expect.stringMatching(/^- admin_addr h:1 is proxy_addr already/),
    ]);
    expect(problemsOf('proxy_addr = h:1\nadmin_addr = h:1', { admin_addr: 'h:2' })).toEqual([]);
  });
});
