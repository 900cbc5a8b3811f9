import { DefaultLogger, Runtime } from '@temporalio/worker';
import { hostAndPort } from '../connection/host-and-port.ts';

let installed = false;

/** Logs and metrics of the SDK; once a process. Signals are the command's business. */
export function installTelemetry(
  metricsAddress: string | undefined,
  log: (level: 'info' | 'warn' | 'error', message: string) => void = () => undefined,
): void {
  if (installed) return;
  installed = true;
  const metrics = metricsAddress === undefined ? undefined : hostAndPort(metricsAddress, '--metrics');
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      if (level === 'WARN' || level === 'ERROR') log(level === 'WARN' ? 'warn' : 'error', line(message, meta));
    }),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metrics ? { metrics: { prometheus: { bindAddress: `${metrics.host}:${metrics.port}` } } } : {}),
    },
  });
}

function line(message: string, meta: Record<string, unknown> | undefined): string {
  const error = meta?.['error'];
  const said = error instanceof Error ? `: ${error.message}` : '';
  const where = [meta?.['workflowId'], meta?.['activityType']].filter(Boolean).join(' ');
  return `${message}${where ? ` (${where})` : ''}${said}`;
}
