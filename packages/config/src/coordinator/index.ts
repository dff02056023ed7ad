export * from './coordinator.ts';
export * from './paths.ts';
