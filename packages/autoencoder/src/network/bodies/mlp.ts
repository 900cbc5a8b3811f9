import type { Tensor } from '@tensorflow/tfjs';
import { dense, gelu, type Params } from '../layers.ts';
import type { NetworkSpec } from '../network.ts';
import type { MakeBody, Passed } from './body.ts';

/** Hidden layers that narrow towards the latent, and widen from it: none of them in a linear network. */
export const mlpBody: MakeBody = (spec, { inputs, outputs, onComponents }) => {
  const hidden = hiddenWidths(spec, inputs);
  const last = hidden.length;
  const side = (name: string, x: Tensor, params: Params): Passed => {
    const layers: Tensor[] = [];
    let y = x;
    for (let k = 0; k < last; k++) layers.push((y = gelu(dense(y, params, `${name}/${k}`))));
    return { y, layers };
  };
  return {
    init(build) {
      const chain = (name: string, widths: number[]): void =>
        widths.slice(1).forEach((width, k) => {
          build.dense(`${name}/${k}`, widths[k]!, width, onComponents && k === last ? 0 : 1);
        });
      chain('encoder', [inputs, ...hidden, spec.latentDim]);
      chain('decoder', [spec.latentDim, ...hidden.toReversed(), outputs]);
    },
    hiddenWidth: 2 * hidden.reduce((sum, units) => sum + units, 0),
    encode(row, params) {
      const { y, layers } = side('encoder', row, params);
      return { y: dense(y, params, `encoder/${last}`), layers };
    },
    decode: (z, params) => side('decoder', z, params),
    answer: (y, params) => dense(y, params, `decoder/${last}`),
  };
};

/** Falling geometrically from `width` towards the latent. */
function hiddenWidths({ architecture, blocks, width, latentDim }: NetworkSpec, inputs: number): number[] {
  if (architecture !== 'mlp') return [];
  const least = Math.max(latentDim, Math.min(width, inputs) / 4);
  return Array.from({ length: blocks }, (_, k) =>
    Math.max(1, Math.round(width * (least / width) ** (blocks > 1 ? k / blocks : 0))),
  );
}
