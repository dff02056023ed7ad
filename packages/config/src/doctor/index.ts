export { examine } from './doctor.ts';
export { type MendAction, type MendRequest, type MendResult, mendKeys } from './mend.ts';
