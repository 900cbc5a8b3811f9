import { open } from 'node:fs/promises';
import { AsyncByteQueue, RecordBatchFileWriter } from 'apache-arrow';
import { arrowBatches, arrowSchema } from './arrow.ts';
import type { LocalPart } from './segments.ts';
import type { Column } from './types.ts';

/** Keeps what the writer says until it is on disk: the writer's own queue grows as long as nobody drains it. */
class Pieces extends AsyncByteQueue {
  #pieces: Uint8Array[] = [];
  override write(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }
  take(): Uint8Array[] {
    return this.#pieces.splice(0);
  }
}

/** Writes columns as an Arrow IPC file (Feather 2), uncompressed, a batch at a time. @throws COLUMN_INVALID */
export async function writeArrowFile(
  columns: Column[],
  parts: LocalPart[],
  path: string,
  allColumns = columns,
): Promise<void> {
  const pieces = new Pieces();
  const writer = new RecordBatchFileWriter();
  writer.reset(pieces, arrowSchema(columns));
  const file = await open(path, 'w');
  const flush = async (): Promise<void> => {
    for (const piece of pieces.take()) await file.writeFile(piece);
  };
  try {
    for await (const batch of arrowBatches(columns, parts, {}, allColumns)) {
      writer.write(batch);
      await flush();
    }
    writer.finish();
    await flush();
  } finally {
    await file.close();
  }
}
