export { examine, type Report } from './doctor.ts';
export { type MendAction, type MendRequest, type MendResult, mendedText, mendKeys } from './mend.ts';
export { asItIs, exampleTexts } from './tally.ts';
