import { readFileSync } from 'node:fs';

/**
 * Memory that a process and all its descendants hold together, in bytes: proportional set sizes, so that pages they share
 * count once. Linux only.
 */
export function treeMemory(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return Number(pss ?? 0) * 1024 + children.reduce((sum, child) => sum + treeMemory(child), 0);
  } catch {
    return 0; // it ended meanwhile
  }
}
