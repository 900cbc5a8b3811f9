import type { Graph } from '../ir/graph.ts';
import { convProducts } from './conv-products.ts';
import { fuse } from './fuse.ts';
import { resizedConvs } from './resized-convs.ts';
import { simplify } from './simplify.ts';

/** All passes, in the order in which they help each other. */
export const optimise = (graph: Graph): Graph => fuse(simplify(convProducts(resizedConvs(graph))));
