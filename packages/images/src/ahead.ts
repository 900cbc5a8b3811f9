/**
 * Maps a sequence with up to `ahead` calls under way, results in the order of the items: pictures are decoded side by
 * side while the caller works, and no more than `ahead` are in memory.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  const start = (item: T): void => {
    const result = work(item);
    // Heard of when its turn comes.
    result.catch(() => undefined);
    pending.push(result);
  };
  for await (const item of items) {
    start(item);
    if (pending.length >= ahead) yield await pending.shift()!;
  }
  while (pending.length > 0) yield await pending.shift()!;
}
