export type * from './doctor.ts';
export type * from './plans.ts';
export type * from './problem.ts';
export type * from './requests.ts';
export type * from './views.ts';
