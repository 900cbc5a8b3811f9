import { drawBits } from './draw.ts';

/** Random numbers one at a time, for initial weights and choices made on the host. */
export interface HostRandom {
  /** A whole number in 0 … 2³² − 1. */
  uint32(): number;
  /** U[0, 1), float32-exact. */
  uniform(): number;
  /** N(0, 1). */
  normal(): number;
}

const CHUNK = 256;

/** The philox stream number `stream` of a seed. Equal arguments give equal numbers everywhere. */
export function hostRandom(seed: number, stream = 0): HostRandom {
  let bits: Uint32Array = new Uint32Array(0);
  let at = 0;
  let offset = 0;
  const uint32 = () => {
    if (at === bits.length) {
      bits = drawBits({ seed, domain: 'host', step: 0, call: stream }, CHUNK, offset);
      offset += CHUNK;
      at = 0;
    }
    return bits[at++]!;
  };
  let spare: number | undefined;
  return {
    uint32,
    uniform: () => (uint32() >>> 8) * 5.960464477539063e-8,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log((uint32() + 1) / 4294967296));
      const angle = 2 * Math.PI * (uint32() / 4294967296);
      spare = Math.fround(radius * Math.sin(angle));
      return Math.fround(radius * Math.cos(angle));
    },
  };
}
