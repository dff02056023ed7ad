export { allCommands, CATALOGUE, type CommandFacts } from './catalogue.ts';
export { buildProgram } from './program.ts';
