import { HourglassError } from '@hourglass/core';
import { SEARCH_ATTRIBUTES } from '@hourglass/workflows';
import type { Client } from '@temporalio/client';

/** Numbers of `temporal.api.enums.v1.IndexedValueType`. */
const TYPES: Record<(typeof SEARCH_ATTRIBUTES)[keyof typeof SEARCH_ATTRIBUTES], number> = {
  Keyword: 2,
  Double: 4,
  KeywordList: 7,
};

export interface SearchAttributesAdded {
  namespace: string;
  added: string[];
  /** Were there already. */
  present: string[];
}

/** Whether the server knows our search attributes. */
export async function hasSearchAttributes(client: Client, namespace: string): Promise<boolean> {
  const known = await knownTo(client, namespace);
  return Object.keys(SEARCH_ATTRIBUTES).every((name) => Object.hasOwn(known, name));
}

/**
 * Registers those of our search attributes that the server does not know.
 * @throws CALL_INVALID when one is there with another type, or the server refuses
 */
export async function addSearchAttributes(
  client: Client,
  namespace: string,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<SearchAttributesAdded> {
  const known = await knownTo(client, namespace);
  const ours = Object.entries(SEARCH_ATTRIBUTES);
  const other = ours.filter(([name, type]) => Object.hasOwn(known, name) && known[name] !== TYPES[type]);
  if (other.length > 0)
    throw new HourglassError(
      'CALL_INVALID',
      `The namespace ${namespace} has ${other.map(([name, type]) => `${name} with another type than ${type}`).join(', ')}. Remove it there (temporal operator search-attribute remove --name …), then call this again.`,
    );
  const added = ours.filter(([name]) => !Object.hasOwn(known, name));
  if (added.length > 0 && !dryRun)
    try {
      await client.connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(added.map(([name, type]) => [name, TYPES[type]])),
      });
    } catch (error) {
      throw new HourglassError(
        'CALL_INVALID',
        `The server refuses to add search attributes to ${namespace}: ${(error as { details?: string }).details ?? (error as Error).message}. Where they are managed elsewhere (Temporal Cloud), add there: ${added.map(([name, type]) => `${name} (${type})`).join(', ')}.`,
        { cause: error },
      );
    }
  return {
    namespace,
    added: added.map(([name]) => name),
    present: ours.filter(([name]) => Object.hasOwn(known, name)).map(([name]) => name),
  };
}

async function knownTo(client: Client, namespace: string): Promise<Record<string, unknown>> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  return customAttributes ?? {};
}
