import { spawn } from 'node:child_process';

/** Hands a file to the desktop's own opener. @returns false where there is none */
export function openInBrowser(path: string): Promise<boolean> {
  const [command, args] =
    process.platform === 'darwin'
      ? (['open', [path]] as const)
      : process.platform === 'win32'
        ? (['cmd', ['/c', 'start', '', path]] as const)
        : (['xdg-open', [path]] as const);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    child.on('error', () => resolve(false));
    child.on('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
