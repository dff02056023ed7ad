export * from './coordinator.ts';
export * from './open.ts';
export * from './paths.ts';
