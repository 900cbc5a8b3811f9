import { Environment, serialize } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';

export type { ASTNode };

export interface Expression {
  text: string;
  ast: ASTNode;
  /** @throws EvaluationError of cel-js when a value is absent or of an unfit type. */
  evaluate(context: Record<string, unknown>): unknown;
}

export interface ExpressionSyntaxError {
  message: string;
  start: number;
  end: number;
}

const env = createEnvironment();
const cache = new Map<string, Expression | ExpressionSyntaxError>();

function createEnvironment(): Environment {
  const e = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
  type Binary = (a: number, b: number) => number | boolean;
  // CEL keeps int (BigInt) and double apart and refuses `2 * metrics.rmse`; people do not.
  const arithmetic: Record<string, Binary> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [op, apply] of Object.entries(arithmetic)) {
    const mixed = (a: unknown, b: unknown): unknown => apply(Number(a), Number(b));
    e.registerOperator(`int ${op} double`, mixed);
    e.registerOperator(`double ${op} int`, mixed);
    if (op === '%') e.registerOperator('double % double', mixed);
  }
  e.registerOperator('int == double', (a: bigint, b: number) => Number(a) === b);
  for (const type of ['double', 'int'])
    e.registerFunction(`abs(${type}): ${type}`, (a: number | bigint) => (a < 0 ? -a : a));
  const pairs = [
    ['double', 'double'],
    ['int', 'int'],
    ['int', 'double'],
    ['double', 'int'],
  ] as const;
  for (const [left, right] of pairs) {
    const result = left === 'int' && right === 'int' ? 'int' : 'double';
    const number = (value: number | bigint): number | bigint => (result === 'double' ? Number(value) : value);
    // NaN wins, so that a gate sees it.
    e.registerFunction(`min(${left}, ${right}): ${result}`, (a: number | bigint, b: number | bigint) =>
      number(a !== a || a < b ? a : b),
    );
    e.registerFunction(`max(${left}, ${right}): ${result}`, (a: number | bigint, b: number | bigint) =>
      number(a !== a || a > b ? a : b),
    );
  }
  return e;
}

/** Names and signatures of CEL's functions, ours included. */
export function functionSignatures(): readonly {
  name: string;
  receiver: string | null;
  arity: number;
  returns: string;
}[] {
  return env.getDefinitions().functions.map((f) => ({
    name: f.name,
    receiver: f.receiverType,
    arity: f.params.length,
    returns: f.returnType.toString(),
  }));
}

/** Parses an expression once; a syntax error is data, with its position in the text. */
export function parseExpression(text: string): Expression | ExpressionSyntaxError {
  const known = cache.get(text);
  if (known) return known;
  let result: Expression | ExpressionSyntaxError;
  try {
    const parsed = env.parse(text);
    result = { text, ast: parsed.ast, evaluate: (context) => toJson(parsed(context)) };
  } catch (error) {
    const { summary, range } = error as { summary?: string; range?: { start: number; end: number } };
    const start = Math.min(range?.start ?? 0, text.length);
    result = { message: summary ?? String(error), start, end: range?.end ?? start };
  }
  if (cache.size > 10_000) cache.clear();
  cache.set(text, result);
  return result;
}

/** CEL's values as plain ones: integers as numbers, timestamps and durations as text. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map || value instanceof Set)
    return toJson(value instanceof Set ? [...value] : Object.fromEntries(value));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || Object.getPrototypeOf(prototype) === null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  return String(value);
}

/** Source text of a part of an expression, in CEL's own form. */
export function textOf(node: ASTNode): string {
  return serialize(node);
}
