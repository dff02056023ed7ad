export { examine } from './doctor.ts';
export { type MendAction, type MendRequest, type MendResult, mendedText, mendKeys } from './mend.ts';
