import { testExamples } from '@hourglass/plugin-kit/testing';

testExamples(new URL('../../examples/', import.meta.url));
