import { testPlugin } from '@hourglass/plugin-kit/testing';
import plugin from '../index.ts';

testPlugin({
  plugin,
  modules: new URL('../', import.meta.url),
  learner: {
    train: { options: { width: 16, latentDim: 3, epochs: 3, batchSize: 32, warmup: 2 } },
    apply: { stage: 'reconstruct' },
  },
});
