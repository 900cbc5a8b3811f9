import { testPlugin } from '@hourglass/plugin-kit/testing';
import plugin from '../index.ts';

testPlugin({ plugin, modules: new URL('../', import.meta.url) });
