import { parseExpression, textOf } from './cel.ts';
import type { ASTNode, Expression } from './cel.ts';

export interface GateVerdict {
  passed: boolean;
  /** What was compared, with values: `metrics.rmse = 0.071 > metrics.baselines.knn.rmse = 0.066`. */
  explanation: string;
}

const OPPOSITE: Record<string, string> = { '<': '>=', '<=': '>', '>': '<=', '>=': '<', '==': '!=', '!=': '==' };

/**
 * Judges a gate. A NaN among the values it reads fails it, whatever the comparison: `!(metrics.x > 1)` too.
 * A value that is absent fails it as well, by name.
 */
export function judgeGate(text: string, context: Record<string, unknown>): GateVerdict {
  const expression = parseExpression(text);
  if (!('ast' in expression)) return { passed: false, explanation: `not an expression: ${expression.message}` };
  const nan = readChains(expression.ast)
    .map((node) => ({ node, value: valueOf(node, context) }))
    .filter(({ value }) => holdsNaN(value));
  if (nan.length > 0) return { passed: false, explanation: nan.map(({ node }) => `${textOf(node)} is NaN`).join(', ') };
  let result: unknown;
  try {
    result = expression.evaluate(context);
  } catch (error) {
    const { summary } = error as { summary?: string };
    return {
      passed: false,
      explanation: `cannot be judged: ${summary ?? String(error)}${absent(expression, context)}`,
    };
  }
  // NaN may also arise inside (0 / 0): it makes every comparison false, which `!` would turn into true.
  const clauses = clausesOf(expression.ast);
  const arisen = clauses.some((clause) => sidesOf(clause)?.some((side) => Number.isNaN(valueOf(side, context))));
  const explanation = clauses.map((clause) => explain(clause, context)).join('; ');
  if (arisen) return { passed: false, explanation: `${explanation} (NaN fails a gate)` };
  return { passed: result === true, explanation: explanation || `${text} = ${show(result)}` };
}

function explain(clause: ASTNode, context: Record<string, unknown>): string {
  const result = valueOf(clause, context);
  const sides = sidesOf(clause);
  if (!sides) return `${textOf(clause)} = ${show(result)}`;
  const [left, right] = sides.map((part) =>
    part.op === 'value' ? textOf(part) : `${textOf(part)} = ${show(valueOf(part, context))}`,
  );
  return `${left} ${result === true ? clause.op : OPPOSITE[clause.op]} ${right}`;
}

function show(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Value of a part of an expression; undefined when it has none. */
function valueOf(node: ASTNode, context: Record<string, unknown>): unknown {
  const part = parseExpression(textOf(node));
  if (!('ast' in part)) return undefined;
  try {
    return part.evaluate(context);
  } catch {
    return undefined;
  }
}

function absent(expression: Expression, context: Record<string, unknown>): string {
  const names = readChains(expression.ast)
    .filter((node) => valueOf(node, context) === undefined || valueOf(node, context) === null)
    .map((node) => textOf(node));
  return names.length ? ` (${names.join(', ')} ${names.length > 1 ? 'have' : 'has'} no value)` : '';
}

function holdsNaN(value: unknown): boolean {
  if (typeof value === 'number') return Number.isNaN(value);
  if (value && typeof value === 'object') return Object.values(value).some(holdsNaN);
  return false;
}

/** Left and right of a comparison. */
const sidesOf = (node: ASTNode): ASTNode[] | undefined => (node.op in OPPOSITE ? (node.args as ASTNode[]) : undefined);

/** What `&&`, `||`, `!` and `?:` put together: comparisons, and parts that are true or false by themselves. */
function clausesOf(node: ASTNode): ASTNode[] {
  switch (node.op) {
    case '&&':
    case '||':
    case '?:':
      return node.args.flatMap(clausesOf);
    case '!_':
      return clausesOf(node.args);
    case 'value':
      return [];
    default:
      return [node];
  }
}

/** Longest chains of names (`metrics.baselines.knn.rmse`), except those that begin with a macro's variable. */
function readChains(node: ASTNode, bound: readonly string[] = []): ASTNode[] {
  const root = rootOf(node);
  if (root !== undefined) return [...(bound.includes(root) ? [] : [node]), ...indicesOf(node, bound)];
  switch (node.op) {
    case 'value':
      return [];
    case 'call':
      return node.args[1].flatMap((arg) => readChains(arg, bound));
    case 'rcall': {
      const [, receiver, args] = node.args;
      const variable = args.length >= 2 && args[0]!.op === 'id' ? [args[0].args] : [];
      return [
        ...readChains(receiver, bound),
        ...args.slice(variable.length).flatMap((arg) => readChains(arg, [...bound, ...variable])),
      ];
    }
    case 'map':
      return node.args.flatMap(([key, value]) => [...readChains(key, bound), ...readChains(value, bound)]);
    default: {
      const args = Array.isArray(node.args) ? (node.args as unknown[]) : [node.args];
      return args.flatMap((arg) =>
        arg && typeof arg === 'object' && 'op' in arg ? readChains(arg as ASTNode, bound) : [],
      );
    }
  }
}

function rootOf(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args;
  if (node.op === '.' || node.op === '.?' || node.op === '[]' || node.op === '[?]') return rootOf(node.args[0]);
  return undefined;
}

function indicesOf(node: ASTNode, bound: readonly string[]): ASTNode[] {
  if (node.op === '[]' || node.op === '[?]')
    return [...indicesOf(node.args[0], bound), ...readChains(node.args[1], bound)];
  if (node.op === '.' || node.op === '.?') return indicesOf(node.args[0], bound);
  return [];
}
