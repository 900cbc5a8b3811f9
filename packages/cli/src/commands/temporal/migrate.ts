import { addSearchAttributes } from '@hourglass/activities/client';
import type { CliContext } from '../../context.ts';
import { type TemporalFlags, withClient } from '../../temporal/with-client.ts';

/** `hourglass migrate search-attributes` */
export async function migrateSearchAttributes(
  context: CliContext,
  flags: TemporalFlags & { dryRun?: boolean },
): Promise<void> {
  const { stdout, colors: c } = context;
  const done = await withClient(context, flags, (client, { namespace }) =>
    addSearchAttributes(client, namespace, flags),
  );
  if (flags.json) {
    stdout.write(`${JSON.stringify({ ...done, dryRun: flags.dryRun === true })}\n`);
    return;
  }
  const { added, present, namespace } = done;
  if (added.length === 0) stdout.write(`= namespace ${namespace}: all ${present.length} search attributes are there\n`);
  else
    stdout.write(
      `${c.green('✓')} namespace ${namespace}: ${flags.dryRun ? 'would add' : 'added'} ${added.join(', ')}\n`,
    );
}
