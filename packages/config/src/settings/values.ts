// One value: from the text in the file or on the command line to its type, and back. Pure.

import { isIP } from 'node:net';
import { isCodisError, parseAddr, unreachable } from '../model/index.ts';
import type { AutoIntegerSetting, IntegerSetting, Setting } from './schema.ts';

export type SettingValue = string | number | readonly string[];
type Read = { readonly ok: true; readonly value: SettingValue } | { readonly ok: false; readonly message: string };

const ok = (value: SettingValue): Read => ({ ok: true, value });
const bad = (message: string): Read => ({ ok: false, message });

/** `text` as `setting` understands it. A secret is never repeated in the message. */
export function readSetting(setting: Setting, text: string): Read {
  switch (setting.type) {
    case 'string':
      if (setting.pattern === undefined || setting.pattern.test(text)) return ok(text);
      return bad(`${setting.secret ? 'the value' : show(text)} is not ${setting.patternAbout ?? 'well-formed'}`);
    case 'enum':
      return setting.values.includes(text) ? ok(text) : bad(`${show(text)} is not one of ${setting.values.join(', ')}`);
    case 'integer':
      return readInteger(setting, text);
    case 'auto-integer':
      return text === 'auto' ? ok(text) : readInteger(setting, text);
    case 'address':
      return readAddress(text);
    case 'addresses':
      return readAddresses(text);
    case 'networks':
      return readNetworks(text);
    default:
      return unreachable(setting);
  }
}

/** The text that `readSetting` turns into `value` again. */
export function writeSetting(value: SettingValue): string {
  return typeof value === 'object' ? value.join(',') : String(value);
}

function readInteger(setting: IntegerSetting | AutoIntegerSetting, text: string): Read {
  const choices = `${setting.type === 'auto-integer' ? 'auto or ' : ''}a whole number of ${setting.unit} from ${setting.min} to ${setting.max}`;
  if (!/^-?\d{1,15}$/.test(text)) return bad(`${show(text)} is not ${choices}`);
  const value = Number(text);
  if (value < setting.min || value > setting.max) return bad(`${text} is out of range: write ${choices}`);
  return ok(value);
}

function readAddress(text: string): Read {
  try {
    parseAddr(text);
    return ok(text.toLowerCase());
  } catch (error) {
    if (!isCodisError(error, 'CODIS_E_BAD_ADDRESS')) throw error;
    return bad(error.message);
  }
}

function readAddresses(text: string): Read {
  const addresses: string[] = [];
  for (const part of text.split(',')) {
    const read = readAddress(part.trim());
    if (!read.ok) return read;
    const address = String(read.value);
    if (addresses.includes(address)) return bad(`${address} is there twice`);
    addresses.push(address);
  }
  return ok(addresses);
}

const NETWORK = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/;

function readNetworks(text: string): Read {
  const networks: string[] = [];
  for (const part of text.trim() === '' ? [] : text.split(',')) {
    const network = part.trim().toLowerCase();
    const [, address = '', bits] = NETWORK.exec(network) ?? [];
    const family = isIP(address);
    const bitsMax = family === 4 ? 32 : 128;
    if (family === 0 || (bits !== undefined && Number(bits) > bitsMax)) {
      return bad(`${show(part.trim())} is neither an address nor a network: write 10.0.0.7, 10.0.0.0/8 or fd00::/8`);
    }
    if (bits !== undefined && Number(bits) === 0) return bad(`${network} is every address there is; name those that are meant`);
    if (networks.includes(network)) return bad(`${network} is there twice`);
    networks.push(network);
  }
  return ok(networks);
}

function show(text: string): string {
  return text === '' ? 'nothing' : JSON.stringify(text);
}
