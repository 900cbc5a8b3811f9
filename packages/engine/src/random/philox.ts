const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const M0_LOW = M0 & 0xffff;
const M0_HIGH = M0 >>> 16;
const M1_LOW = M1 & 0xffff;
const M1_HIGH = M1 >>> 16;

/** 128-bit counter: four uint32. */
export type PhiloxCounter = readonly [number, number, number, number];
/** 64-bit key: two uint32. */
export type PhiloxKey = readonly [number, number];

/**
 * Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 * Fills `out` with the lanes of consecutive blocks, beginning at lane `firstLane` of the stream whose blocks are
 * numbered by the first word of the counter: any piece of a stream can be drawn without drawing what comes before it.
 */
export function philoxFill(out: Uint32Array, key: PhiloxKey, counter: PhiloxCounter, firstLane = 0): Uint32Array {
  let block = Math.floor(firstLane / 4);
  let lane = firstLane % 4;
  for (let i = 0; i < out.length; block++, lane = 0) {
    // The low word counts blocks; its carry (streams longer than 2^34 numbers) goes into the second word.
    const low = counter[0] + block;
    let c0 = low >>> 0;
    let c1 = (counter[1] + Math.floor(low / 4294967296)) >>> 0;
    let c2 = counter[2] >>> 0;
    let c3 = counter[3] >>> 0;
    let k0 = key[0] >>> 0;
    let k1 = key[1] >>> 0;
    for (let round = 0; round < 10; round++) {
      // 32 × 32 → 64 bit products by 16-bit halves: JavaScript has no wider integer multiply that is fast.
      const a0Low = c0 & 0xffff;
      const a0High = c0 >>> 16;
      const mid0 = a0High * M0_LOW + ((a0Low * M0_LOW) >>> 16);
      const high0 = a0High * M0_HIGH + (mid0 >>> 16) + ((a0Low * M0_HIGH + (mid0 & 0xffff)) >>> 16);
      const a1Low = c2 & 0xffff;
      const a1High = c2 >>> 16;
      const mid1 = a1High * M1_LOW + ((a1Low * M1_LOW) >>> 16);
      const high1 = a1High * M1_HIGH + (mid1 >>> 16) + ((a1Low * M1_HIGH + (mid1 & 0xffff)) >>> 16);
      const low0 = Math.imul(c0, M0);
      const low1 = Math.imul(c2, M1);
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = low1 >>> 0;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0 >>> 0;
      k0 = (k0 + W0) >>> 0;
      k1 = (k1 + W1) >>> 0;
    }
    if (lane === 0 && i < out.length) out[i++] = c0;
    if (lane <= 1 && i < out.length) out[i++] = c1;
    if (lane <= 2 && i < out.length) out[i++] = c2;
    if (i < out.length) out[i++] = c3;
  }
  return out;
}
