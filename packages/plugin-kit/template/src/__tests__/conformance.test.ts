import { testPlugin } from '@hourglass/plugin-kit/testing';
import plugin from '../index.ts';

// Options that make it quick: what is checked is behaviour, not quality.
testPlugin({
  plugin,
  modules: new URL('../', import.meta.url),
  learner: {
    train: { options: { width: 16, latentDim: 4, epochs: 3, batchSize: 32 } },
    apply: { stage: 'apply' },
  },
});
