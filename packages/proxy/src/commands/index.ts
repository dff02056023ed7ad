export type { CommandClass } from './classes.ts';
export { COMMANDS, type Command } from './command.ts';
export { CLASS_TEXTS, type ClassText, DIFFERENCES } from './differences.ts';
