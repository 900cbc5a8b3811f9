/** One step of an address: `regions[north]`. */
export interface PathStep {
  id: string;
  key?: string;
}

/** Key as it stands in a path: brackets and percent signs are encoded. */
export function encodeKey(key: string): string {
  return key.replace(/[%[\]\u0000-\u001f]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function decodeKey(text: string): string {
  return text.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

const STEP = /([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]]*)\])?(?:\.|$)/y;

/** `regions[north].train` as steps; undefined when the text is no path. */
export function parsePath(path: string): PathStep[] | undefined {
  const steps: PathStep[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    if (!match) return undefined;
    steps.push(match[2] === undefined ? { id: match[1]! } : { id: match[1]!, key: decodeKey(match[2]) });
  }
  return steps.length > 0 ? steps : undefined;
}

/** The path without keys: `regions.train` of `regions[north].train`. */
export function stagePathOf(path: string): string {
  return path.replace(/\[[^\]]*\]/g, '');
}
