import { HourglassError } from '@hourglass/core';
import type { Network, NetworkSpec } from './network.ts';
import { variationalNetwork } from '../variational/network.ts';
import { tabularNetwork } from './tabular.ts';

const BUILDERS: Record<NetworkSpec['kind'], (spec: NetworkSpec) => Network> = {
  tabular: tabularNetwork,
  variational: variationalNetwork,
};

/** The network a spec describes. @throws MODEL_INCOMPATIBLE for a kind this version does not know */
export function buildNetwork(spec: NetworkSpec): Network {
  const build = BUILDERS[spec.kind] as ((spec: NetworkSpec) => Network) | undefined;
  if (!build)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `network kind "${spec.kind}" is not known; this version builds ${Object.keys(BUILDERS).join(', ')}`,
    );
  return build(spec);
}
