export * from './args.ts';
export * from './flags.ts';
export * from './ini-text.ts';
export * from './load.ts';
export * from './parse.ts';
export * from './render.ts';
export * from './schema.ts';
export * from './suggest.ts';
