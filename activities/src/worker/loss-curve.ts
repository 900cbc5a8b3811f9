const BARS = '▁▂▃▄▅▆▇█';
const WIDTH = 16;

/** Losses of a training as a sparkline of at most 16 characters, on a logarithmic scale where all are positive. */
export function lossCurve(): { add(loss: number): void; text(): string } {
  const losses: number[] = [];
  return {
    add(loss) {
      if (Number.isFinite(loss)) losses.push(loss);
    },
    text() {
      if (losses.length < 2) return '';
      const scale = losses.every((loss) => loss > 0) ? Math.log : (x: number): number => x;
      const count = Math.min(WIDTH, losses.length);
      const points = Array.from({ length: count }, (_, i) => {
        const from = Math.floor((i * losses.length) / count);
        const part = losses.slice(from, Math.max(from + 1, Math.floor(((i + 1) * losses.length) / count)));
        return scale(part.reduce((sum, loss) => sum + loss, 0) / part.length);
      });
      const low = Math.min(...points);
      const range = Math.max(...points) - low || 1;
      return points.map((y) => BARS[Math.min(BARS.length - 1, Math.floor(((y - low) / range) * BARS.length))]).join('');
    },
  };
}
