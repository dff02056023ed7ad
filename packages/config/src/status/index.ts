export * from './conditions.ts';
export * from './stages.ts';
export * from './status.ts';
export * from './verdict.ts';
export * from './views.ts';
