import type { ColumnEncoder } from '@hourglass/autoencoder';
import type { ColumnReference } from '@hourglass/metrics';

/** What a column held in training, as its encoder keeps it. */
export function columnReferenceOf(encoder: ColumnEncoder): ColumnReference {
  const { missing } = encoder;
  switch (encoder.kind) {
    case 'number':
      return { kind: 'number', missing, quantiles: encoder.empty ? [] : encoder.quantiles };
    case 'vector':
      // Cell by cell applications learn none.
      return { kind: 'category', missing, shares: [] };
    case 'boolean':
      return {
        kind: 'category',
        missing,
        shares: [
          ['0', 1 - encoder.share],
          ['1', encoder.share],
        ],
      };
    case 'category': {
      const total = encoder.counts.reduce((all, count) => all + count, 0);
      if (total === 0) return { kind: 'category', missing, shares: [] };
      return {
        kind: 'category',
        missing,
        shares: encoder.categories.map((name, k) => [name, encoder.counts[k]! / total]),
        novel: encoder.counts.filter((count) => count === 1).length / total,
      };
    }
  }
}
