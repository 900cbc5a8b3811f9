/** Nx plugin: `"plugins": ["@hourglass/plugin-kit/nx"]` in nx.json. */
export declare const name: string;
export declare const createNodes: readonly [string, (...args: never[]) => unknown];
