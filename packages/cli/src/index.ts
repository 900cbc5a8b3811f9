export { runCommand } from './main.ts';
export { createContext, type CliContext, type Output } from './context.ts';
