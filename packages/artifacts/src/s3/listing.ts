import type { ObjectInfo } from '../driver.ts';

export interface ListingPage {
  objects: (ObjectInfo & { etag: string })[];
  /** Where the next page begins. */
  next?: string;
}

/** Reads the XML of ListObjectsV2: flat, of fixed names, written by machines, so that no parser of XML in general is needed. */
export function readListing(xml: string): ListingPage {
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry]) => ({
    key: text(entry!, 'Key') ?? '',
    bytes: Number(text(entry!, 'Size')),
    modified: Date.parse(text(entry!, 'LastModified') ?? ''),
    etag: text(entry!, 'ETag') ?? '',
  }));
  const next = text(xml, 'NextContinuationToken');
  return { objects, ...(next && text(xml, 'IsTruncated') === 'true' ? { next } : {}) };
}

/** Text of the first element of a name. */
export function text(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found?.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|amp|quot|apos));/gi, (_, hex, decimal, named) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex as string, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return NAMED[(named as string).toLowerCase()]!;
  });
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
