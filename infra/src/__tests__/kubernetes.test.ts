import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CPU, queueConfig, taskQueueOf } from '@hourglass/activities';
import { describe, expect, it } from 'vitest';
import { filesBelow, helpOf, kustomized, read, root, sources, yaml } from './files.ts';

const FOLDERS = ['base', 'overlays/gpu', 'overlays/keda', 'overlays/worker-controller'];
const code = sources();
const podsOf = (resources: any[]) =>
  resources
    .filter(({ spec }) => spec?.template?.spec?.containers)
    .map(({ kind, metadata, spec }) => ({ kind, name: metadata.name as string, template: spec.template, spec }));
const flagValue = (args: string[], flag: string): string | undefined => args[args.indexOf(flag) + 1];

it('uses every file that is there', () => {
  const seen: string[] = [];
  for (const folder of FOLDERS) kustomized(`kubernetes/${folder}`, seen);
  expect(filesBelow('kubernetes').filter((path) => !seen.includes(path))).toEqual([]);
});

for (const folder of FOLDERS)
  describe(`kubernetes/${folder}`, () => {
    const resources = kustomized(`kubernetes/${folder}`);
    const config = resources.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'hourglass').data;

    it('is built by kustomize where that is at hand, into the resources counted here', () => {
      const kinds = resources.map(({ kind }) => kind as string).sort();
      expect(kinds).toContain('ConfigMap');
      if (spawnSync('kubectl', ['version', '--client']).status !== 0) return;
      const built = execFileSync('kubectl', ['kustomize', join(root, 'kubernetes', folder)], { encoding: 'utf8' });
      expect([...built.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind!).sort()).toEqual(kinds);
      for (const [, image] of built.matchAll(/image: (\S+)/g)) expect(image).toMatch(/:\d+\.\d+\.\d+(-gpu)?$/);
    });

    it('selects the pods it makes', () => {
      for (const { kind, spec, metadata } of resources) {
        const selector = spec?.selector?.matchLabels ?? (kind === 'Service' ? spec.selector : undefined);
        if (!selector) continue;
        const found = podsOf(resources).some(({ template }) =>
          Object.entries(selector).every(([label, value]) => template.metadata.labels[label] === value),
        );
        expect(found, `${kind} ${metadata.name}`).toBe(true);
      }
      for (const { kind, spec } of resources)
        if (kind === 'ScaledObject')
          expect(resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toContain(
            `Deployment ${spec.scaleTargetRef.name}`,
          );
    });

    it('runs without privileges, with limits, on a file system it cannot write but for what is mounted', () => {
      const pods = podsOf(resources);
      expect(pods.length).toBeGreaterThan(0);
      for (const { name, template } of pods) {
        expect(template.spec.securityContext.runAsNonRoot, name).toBe(true);
        for (const container of template.spec.containers) {
          expect(container.resources.limits.memory, name).toBeDefined();
          expect(container.securityContext).toMatchObject({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
          });
          const volumes = (template.spec.volumes ?? []).map(({ name }: { name: string }) => name);
          for (const mount of container.volumeMounts ?? []) expect(volumes, name).toContain(mount.name);
        }
      }
    });

    it('starts workers with flags, ports, queues and variables of the code, and time to save checkpoints', async () => {
      const help = await helpOf(['worker']);
      for (const variable of Object.keys(config))
        expect(new RegExp(`\\b${variable}\\b`).test(code), variable).toBe(true);
      for (const { name, template } of podsOf(resources))
        for (const { args, ports = [], env = [], ...container } of template.spec.containers) {
          for (const { name: variable } of env) expect(code, name).toContain(variable);
          if (args[0] !== 'worker') {
            expect(await helpOf(args), name).toBeDefined();
            continue;
          }
          for (const flag of args.filter((word: string) => word.startsWith('--'))) expect(help).toContain(flag);
          expect([CPU, ...Object.keys(queueConfig(config))]).toContain(flagValue(args, '--queues'));
          const served = Object.fromEntries(ports.map((port: any) => [port.name, String(port.containerPort)]));
          expect(flagValue(args, '--health')).toBe(`0.0.0.0:${served.health}`);
          expect(flagValue(args, '--metrics')).toBe(`0.0.0.0:${served.metrics}`);
          for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
            expect(container[probe].httpGet).toEqual({ path: '/healthz', port: 'health' });
          expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30);
        }
    });

    it('scales by task queues that workers poll', () => {
      const queues = podsOf(resources)
        .flatMap(({ name, template }) =>
          template.spec.containers.map(({ args }: any) => [name, flagValue(args, '--queues')]),
        )
        .filter(([, queue]) => [CPU, ...Object.keys(queueConfig(config))].includes(queue!))
        .map(([name, queue]) => [name, taskQueueOf(config.HOURGLASS_TASK_QUEUE, queue!)]);
      for (const { kind, spec } of resources)
        if (kind === 'ScaledObject') {
          const [{ metadata }] = spec.triggers;
          expect(queues).toContainEqual([spec.scaleTargetRef.name, metadata.taskQueue]);
          expect(metadata.endpoint).toBe(config.TEMPORAL_ADDRESS);
          expect(metadata.namespace).toBe(config.TEMPORAL_NAMESPACE);
        } else if (kind === 'Connection') expect(spec.hostPort).toBe(config.TEMPORAL_ADDRESS);
        else if (kind === 'WorkerDeployment')
          expect(spec.workerOptions.temporalNamespace).toBe(config.TEMPORAL_NAMESPACE);
    });
  });

it('deploys the same version of the server by compose and by its chart', () => {
  const [values] = yaml('helm/temporal-values.yaml');
  const images = [values.server, values.admintools, values.web].map(({ image }) => `${image.repository}:${image.tag}`);
  for (const image of images) expect(read('compose/compose.yaml')).toContain(`image: ${image}\n`);
  const { persistence } = values.server.config;
  expect(Object.keys(persistence.datastores)).toEqual([persistence.defaultStore, persistence.visibilityStore]);
  expect(JSON.stringify(values)).not.toMatch(/"password":/);
});
