import type { ArtifactRef } from '../artifact.ts';
import { checkExpression } from './check.ts';
import type { ExpressionError, Scope } from './check.ts';
import { parseExpression, textOf } from './cel.ts';
import type { ASTNode } from './cel.ts';
import { parseTemplate } from './template.ts';
import { DYN, formatType } from './value-type.ts';
import type { ValueType } from './value-type.ts';

/** `name`, `name@latest`, `name@3`, `name@champion`. */
export const NAMED = /^[A-Za-z_][A-Za-z0-9_-]*(?:@[A-Za-z0-9_-]+)?$/;

export interface CheckedReference {
  type: ValueType;
  errors: ExpressionError[];
  /** Values that its conditions read. */
  reads: string[][];
  /** What `named(…)` asks for; optional within `first(…)`. */
  names: { name: string; optional: boolean }[];
  /** Outputs that may be what it stands for, as chains of names. */
  sources: string[][];
}

/**
 * Checks an expression that stands for an artifact: `stages.x.y`, an item of a fan-out, `named("…")`, `first(a, b, …)`,
 * or one of these by a condition.
 */
export function checkReference(text: string, scope: Scope): CheckedReference {
  const result: CheckedReference = { type: DYN, errors: [], reads: [], names: [], sources: [] };
  const parsed = parseExpression(text);
  if (!('ast' in parsed)) {
    result.errors.push({
      code: 'expression-syntax',
      message: `Not an expression: ${parsed.message}`,
      start: parsed.start,
      end: parsed.end,
    });
    return result;
  }
  result.type = walk(parsed.ast, text, scope, result, false);
  return result;
}

function walk(node: ASTNode, text: string, scope: Scope, out: CheckedReference, optional: boolean): ValueType {
  const refuse = (message: string, found?: string): ValueType => {
    out.errors.push({ code: 'expression-type', message, start: node.start, end: node.end, found });
    return DYN;
  };
  if (node.op === 'call' && node.args[0] === 'first') {
    const args = node.args[1];
    if (args.length === 0) return refuse('`first` needs at least one artifact');
    const types = args.map((arg) => walk(arg, text, scope, out, true));
    const known = types.filter((type) => type.t !== 'dyn');
    const odd = known.find((type) => formatType(type) !== formatType(known[0]!));
    if (odd)
      return refuse('`first` chooses among artifacts of one kind', `${formatType(known[0]!)} and ${formatType(odd)}`);
    return known[0] ?? DYN;
  }
  if (node.op === 'call' && node.args[0] === 'named') {
    const [name] = node.args[1];
    if (node.args[1].length !== 1 || name?.op !== 'value' || typeof name.args !== 'string')
      return refuse(
        '`named` takes one text, so that it can be pinned when a run starts',
        text.slice(node.start, node.end),
      );
    if (!NAMED.test(name.args))
      return refuse(`\`${name.args}\` is not a name: expected NAME, NAME@latest, NAME@3 or NAME@ALIAS`, name.args);
    out.names.push({ name: name.args, optional });
    return DYN;
  }
  if (node.op === '?:') {
    const [condition, yes, no] = node.args;
    const checked = checkExpression(text, scope, condition);
    out.errors.push(...checked.errors);
    out.reads.push(...checked.reads);
    const first = walk(yes, text, scope, out, optional);
    const second = walk(no, text, scope, out, optional);
    return first.t === 'dyn' ? second : first;
  }
  const chain = chainOf(node);
  if (!chain)
    return refuse(
      'Expected an artifact: stages.STAGE.OUTPUT, named("…") or first(…)',
      text.slice(node.start, node.end),
    );
  const checked = checkExpression(text, scope, node);
  out.errors.push(...checked.errors);
  out.sources.push(chain);
  return checked.errors.length > 0 ? DYN : checked.type;
}

function chainOf(node: ASTNode): string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op === '.') {
    const owner = chainOf(node.args[0]);
    return owner && [...owner, node.args[1]];
  }
  return undefined;
}

/** Chains of names that a value like `"${{ first(stages.a.x, stages.b.x) }}"` may stand for. */
export function sourcesOf(value: unknown): string[][] {
  const segment = typeof value === 'string' ? parseTemplate(value).segments[0] : undefined;
  if (!segment || !('expression' in segment)) return [];
  return checkReference(segment.expression, { stages: DYN }).sources;
}

/** What a reference needs to find artifacts while a run goes on. */
export interface ReferenceLookup {
  /** Artifact (or list of them) that a chain of names stands for; undefined when it does not exist. */
  chain(names: string[]): ArtifactRef | ArtifactRef[] | undefined;
  named(name: string): ArtifactRef | undefined;
  condition(text: string): unknown;
}

/** The artifact a reference stands for; undefined when there is none. */
export function resolveReference(text: string, lookup: ReferenceLookup): ArtifactRef | ArtifactRef[] | undefined {
  const parsed = parseExpression(text);
  return 'ast' in parsed ? follow(parsed.ast, text, lookup) : undefined;
}

function follow(node: ASTNode, text: string, lookup: ReferenceLookup): ArtifactRef | ArtifactRef[] | undefined {
  if (node.op === 'call' && node.args[0] === 'first') {
    for (const arg of node.args[1]) {
      const found = follow(arg, text, lookup);
      if (found) return found;
    }
    return undefined;
  }
  if (node.op === 'call' && node.args[0] === 'named') return lookup.named(node.args[1][0]!.args as string);
  if (node.op === '?:') {
    const [condition, yes, no] = node.args;
    return follow(lookup.condition(textOf(condition)) === true ? yes : no, text, lookup);
  }
  const chain = chainOf(node);
  return chain && lookup.chain(chain);
}
