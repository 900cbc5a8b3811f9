import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CPU, queueConfig, taskQueueOf } from '@hourglass/activities';
import { describe, expect, it } from 'vitest';
import { helpOf, read, root, sources, yaml } from './files.ts';

const [compose] = yaml('compose/compose.yaml') as [{ services: Record<string, any>; volumes: Record<string, unknown> }];
const services = Object.entries(compose.services);
const code = sources();

describe('compose', () => {
  it('pins every image to a version', () => {
    for (const [name, { image }] of services) expect(image, name).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  it('waits only for services that are there, and for health only where it is checked', () => {
    for (const [name, { depends_on = {} }] of services)
      for (const [other, { condition }] of Object.entries<{ condition: string }>(depends_on)) {
        expect(compose.services[other], `${name} waits for ${other}`).toBeDefined();
        if (condition === 'service_healthy') expect(compose.services[other].healthcheck?.test, other).toBeDefined();
        // A service that is started again for ever never completes.
        if (condition === 'service_completed_successfully')
          expect(compose.services[other].restart).toMatch(/^on-failure/);
      }
  });

  it('asks for nothing that .env.example does not name, and opens no port to the network', () => {
    const named = new Set([...read('compose/.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name));
    const asked = [...read('compose/compose.yaml').matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name!);
    expect(asked.filter((name) => !named.has(name))).toEqual([]);
    expect([...named].filter((name) => !asked.includes(name!))).toEqual([]);
    for (const [name, { ports = [] }] of services)
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('mounts files that are there, with scripts that can be run', () => {
    for (const [name, { volumes = [], command = [], entrypoint = [] }] of services) {
      const mounts = (volumes as string[]).map((volume) => volume.split(':') as [string, string]);
      for (const [from] of mounts)
        if (from.startsWith('./')) expect(existsSync(join(root, 'compose', from)), `${name}: ${from}`).toBe(true);
        else expect(Object.keys(compose.volumes), name).toContain(from);
      for (const word of [...command, ...entrypoint] as string[])
        if (word.startsWith('/scripts/'))
          expect(statSync(join(root, 'compose', word)).mode & 0o111, `${name}: ${word}`).not.toBe(0);
    }
  });

  it('gives workers variables that the code reads, queues that it knows, and flags of the command', async () => {
    const workers = services.filter(([, { command }]) => command?.[0] === 'worker');
    expect(workers.length).toBeGreaterThanOrEqual(2);
    const help = await helpOf(['worker']);
    for (const [name, { command, environment }] of workers) {
      for (const variable of Object.keys(environment))
        expect(new RegExp(`\\b${variable}\\b`).test(code), `${name}: ${variable} is read nowhere`).toBe(true);
      for (const flag of (command as string[]).filter((word) => word.startsWith('--')))
        expect(help, name).toContain(flag);
      const queue = command[command.indexOf('--queues') + 1];
      expect([CPU, ...Object.keys(queueConfig(environment))]).toContain(queue);
      expect(taskQueueOf(environment.HOURGLASS_TASK_QUEUE, CPU)).toBe('hourglass');
    }
    expect(await helpOf(compose.services['temporal-setup'].command)).toBeDefined();
  });

  it('reaches every service at a port it serves', () => {
    const [prometheus] = yaml('compose/prometheus/prometheus.yml');
    const metricsPort = (name: string): string => {
      const { command, environment } = compose.services[name];
      return (command?.[command.indexOf('--metrics') + 1] ?? environment.PROMETHEUS_ENDPOINT).split(':')[1];
    };
    for (const { dns_sd_configs = [], static_configs = [] } of prometheus.scrape_configs) {
      for (const { names, port } of dns_sd_configs)
        for (const name of names) expect(metricsPort(name), name).toBe(String(port));
      for (const { targets } of static_configs)
        for (const target of targets as string[]) {
          const [name, port] = target.split(':') as [string, string];
          expect(metricsPort(name), target).toBe(port);
        }
    }
    const text = read('compose/compose.yaml');
    for (const [, host, port] of text.matchAll(/(?:TEMPORAL_ADDRESS: '?|http:\/\/)([a-z-]+):(\d+)/g))
      if (host !== 'localhost')
        expect(JSON.stringify(compose.services[host!]), `${host}:${port}`).toMatch(new RegExp(`[:"]${port}\\b`));
  });
});
