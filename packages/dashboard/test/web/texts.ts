// What the sources of the web console say to people, found in their syntax: the texts that are to be translated, and those that nobody marked.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { REPO } from '../../../../test/harness/process.ts';
import { filesBelow } from '../../../../test/harness/source-tree.ts';

const WEB = 'packages/dashboard/web/src';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** A node, and by which field it is its parent's. */
interface Step {
  readonly node: Node;
  readonly field: string;
}

export interface Finding {
  readonly where: string;
  readonly text: string;
}

export interface Texts {
  /** In the sources for the catalogue. */
  readonly keys: ReadonlyMap<string, string>;
  /** Not marked. */
  readonly bare: readonly Finding[];
}

/** Attributes and properties that people get to see or hear. */
const SEEN = new Set(
  'title label aria-label placeholder hint text note why what caption word about unit said summary legend problem block cell'.split(' '),
);
const MARKS = new Set(['t', 'rich', 'msg']);
/** `plural(3, 'slot')`, `rate(7, 'keys')`: the second argument is part of a text. */
const COUNTED: Readonly<Record<string, (thing: string) => string>> = {
  plural: (thing) => `{n} ${thing}`,
  rate: (thing) => `{n} ${thing}/s`,
};
/** In these elements there is what a machine reads. */
const NO_LANGUAGE = new Set(['code', 'kbd', 'pre', 'style', 'path', 'svg']);
/** What is the same in every language: names, units, what to type for example. */
const NAMES = new Set([
  ...'Codis Redis English CPU UTC p50 p95 p99 Esc'.split(' '),
  ...'B KiB MiB GiB TiB MiB/s ms'.split(' '),
  ...'az1 HGETALL user:'.split(' '),
]);
/** Classes of the style sheet that have a blank in them. */
const CLASSES = /^(?:cell|swatch|hue-|number|grey moving|moving plain|… moving to-…)/;
/** What is handed to these is no text, whatever it looks like. */
const CALLS =
  /^(?:get|call|to|setQuery|navigate|queryCell|has|hasOwn|querySelector(?:All)?|(?:add|remove)EventListener|startsWith|endsWith|includes|getPropertyValue|token|(?:get|set|remove)Item|[gs]etAttributes?|createElement|useResource|join|split|matchMedia|matches|closest|set|append|replace(?:All)?|option|localeCompare|padStart|getContext|Set|Blob|dryRun|URLSearchParams|filter|exec|test|signal|speak)$/;
/** Two words, or one that begins a sentence. */
const WORDS = /[A-Za-z’]{2,}[ ,.:;]+[A-Za-z]{2,}|^[A-Z][a-z]+/;

/** `sources`: the code by its path. */
export function textsOf(sources: ReadonlyMap<string, string> = sourcesOfWeb()): Texts {
  const keys = new Map<string, string>();
  const bare: Finding[] = [];
  const files = [...sources].map(([file, code]) => ({ file, code, program: parseSync(file, code).program as unknown as Node }));
  const constants = new Set(files.flatMap(({ program }) => constantsIn(program)));
  for (const { file, code, program } of files) {
    const where = ({ start }: Node) => `${file}:${code.slice(0, start).split('\n').length}`;
    visit(program, [], (node, path) => {
      for (const key of keysIn(node, path)) keys.set(key, where(node));
      const text = bareText(node, path) ?? bareConstant(node, path, constants);
      if (text !== null) bare.push({ where: where(node), text });
    });
  }
  return { keys, bare };
}

/** Of a module: `const NOT_YET = msg('…')`. */
function constantsIn(program: Node): string[] {
  const found: string[] = [];
  visit(program, [], (node) => {
    const { init } = node;
    if (node.type === 'VariableDeclarator' && isNode(init) && nameOf(init['callee']) === 'msg') found.push(nameOf(node['id']));
  });
  return found;
}

/** One that is shown as it is. `why` of a `Value` is translated there. */
function bareConstant(node: Node, path: readonly Step[], constants: ReadonlySet<string>): string | null {
  if (node.type !== 'Identifier' || !constants.has(nameOf(node))) return null;
  const { node: parent, field } = path.at(-1) as Step;
  if (field === 'id' || parent.type.endsWith('Specifier')) return null;
  const { attribute, call } = placeOf(path);
  return attribute === 'why' || MARKS.has(call ?? '') ? null : nameOf(node);
}

function sourcesOfWeb(): ReadonlyMap<string, string> {
  const files = filesBelow(WEB, ['.ts', '.tsx']).filter((path) => !path.includes('/i18n/'));
  return new Map(files.map((path) => [path.slice(WEB.length + 1), readFileSync(join(REPO, path), 'utf8')]));
}

function visit(node: Node, path: readonly Step[], see: (node: Node, path: readonly Step[]) => void): void {
  see(node, path);
  for (const [field, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child) && !isTypes(child)) visit(child, [...path, { node, field }], see);
    }
  }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
const isTypes = ({ type }: Node) => /^(?:TS(?!As|Satisfies|NonNull)|Import|ExportAll)/.test(type);

const stringOf = (node: unknown): string | null =>
  isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : null;

/** A string, or the two of a condition. */
function choicesOf(node: unknown): readonly string[] {
  if (!isNode(node)) return [];
  if (node.type === 'ConditionalExpression') return [...choicesOf(node['consequent']), ...choicesOf(node['alternate'])];
  if (node.type === 'JSXExpressionContainer') return choicesOf(node['expression']);
  const text = stringOf(node);
  return text === null ? [] : [text];
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  if (node.type === 'MemberExpression') return nameOf(node['property']);
  const name = node['name'] ?? node['value'];
  return typeof name === 'string' ? name : '';
}

/** The texts that a node marks. Some components take English and translate it themselves: the word of a chip, the title of a column. */
function keysIn(node: Node, path: readonly Step[]): readonly string[] {
  if (node.type === 'CallExpression') {
    const [first, second] = node['arguments'] as readonly Node[];
    const callee = isNode(node['callee']) && node['callee'].type === 'Identifier' ? nameOf(node['callee']) : '';
    if (MARKS.has(callee)) return choicesOf(first);
    const counted = COUNTED[callee];
    return counted === undefined ? [] : choicesOf(second).map(counted);
  }
  if (node.type === 'JSXAttribute' && nameOf(node['name']) === 'word') return choicesOf(node['value']);
  if (node.type !== 'Property') return [];
  const name = nameOf(node['key']);
  const isColumn =
    name === 'title' && (path.at(-1)?.node['properties'] as readonly Node[] | undefined)?.some((one) => nameOf(one['key']) === 'cell');
  return (name === 'word' || isColumn) && !isPattern(path) ? choicesOf(node['value']).filter((text) => !NAMES.has(text)) : [];
}

const isPattern = (path: readonly Step[]) => path.at(-1)?.node.type === 'ObjectPattern';

/** What people would read in English in any language; null when it is marked, or none of their business. */
function bareText(node: Node, path: readonly Step[]): string | null {
  const parent = path.at(-1);
  if (parent === undefined) return null;
  if (node.type === 'JSXText') {
    const text = String(node['value']).replace(/\s+/g, ' ').trim();
    const element = path.findLast(({ node: one }) => one.type === 'JSXElement');
    const tag = nameOf((element?.node['openingElement'] as Node | undefined)?.['name']);
    return /[A-Za-z]{2}|^[A-Za-z]$/.test(text.replaceAll('&nbsp;', '')) && !NO_LANGUAGE.has(tag) && !NAMES.has(text) ? text : null;
  }
  const text = node.type === 'TemplateLiteral' ? templateText(node) : stringOf(node);
  if (text === null || !/[A-Za-z]/.test(text) || NAMES.has(text.trim()) || isMechanical(text) || isSyntax(node, path)) return null;
  const place = placeOf(path);
  if (place.call !== null && (MARKS.has(place.call) || place.call in COUNTED || CALLS.test(place.call))) return null;
  if (place.attribute === 'word' || place.property === 'word' || place.isColumnTitle) return node.type === 'TemplateLiteral' ? text : null;
  const isSeen = place.attribute !== null ? SEEN.has(place.attribute) : place.property !== null ? SEEN.has(place.property) : place.isChild;
  if (place.attribute !== null && !isSeen) return null;
  if (place.attribute === 'name' && /^[a-z]/.test(place.tag)) return null;
  return (isSeen && /[A-Za-z]{2}/.test(text)) || WORDS.test(text) ? text : null;
}

const templateText = (node: Node): string =>
  (node['quasis'] as readonly { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('…');

/** Paths, command lines, classes, codes. */
const isMechanical = (text: string) =>
  CLASSES.test(text) || /^(?:\/|codis-config|npx |redis-cli |CODIS_E|codis\.| ?--)|^[A-Z_]+$/.test(text);

/** Keys of objects, cases, comparisons, modules. */
function isSyntax(node: Node, path: readonly Step[]): boolean {
  const { node: parent, field } = path.at(-1) as Step;
  if (field === 'key' || (parent.type === 'MemberExpression' && field === 'property') || (parent.type === 'SwitchCase' && field === 'test'))
    return true;
  if (parent.type === 'BinaryExpression' && /=|in/.test(String(parent['operator']))) return true;
  return (
    parent.type === 'ImportExpression' || parent.type === 'TaggedTemplateExpression' || node.type === 'Directive' || 'directive' in parent
  );
}

interface Place {
  readonly attribute: string | null;
  readonly property: string | null;
  readonly call: string | null;
  readonly isChild: boolean;
  readonly isColumnTitle: boolean;
  readonly tag: string;
}

/** The nearest thing that says what a string is for. */
function placeOf(path: readonly Step[]): Place {
  const nowhere: Place = { attribute: null, property: null, call: null, isChild: false, isColumnTitle: false, tag: '' };
  for (let at = path.length - 1; at >= 0; at--) {
    const { node, field } = path[at] as Step;
    if (node.type === 'JSXAttribute') return { ...nowhere, attribute: nameOf(node['name']), tag: nameOf(path[at - 1]?.node['name']) };
    if (node.type === 'JSXExpressionContainer' && path[at - 1]?.node.type !== 'JSXAttribute') return { ...nowhere, isChild: true };
    if (node.type === 'Property' && field === 'value') {
      const isColumnTitle = keysIn(node, path.slice(0, at)).length > 0;
      return { ...nowhere, property: nameOf(node['key']), isColumnTitle };
    }
    if ((node.type === 'CallExpression' || node.type === 'NewExpression') && field === 'arguments')
      return { ...nowhere, call: nameOf(node['callee']) };
  }
  return nowhere;
}
