import { HourglassError } from '@hourglass/core';

/** `host:port`, `:port` or `port`. @throws CALL_INVALID */
export function hostAndPort(address: string, what: string, anyHost = '0.0.0.0'): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1));
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new HourglassError('CALL_INVALID', `${what}: expected HOST:PORT, found "${address}".`);
  return { host: at > 0 ? address.slice(0, at) : anyHost, port };
}
