import { didYouMean } from '../did-you-mean.ts';
import { functionSignatures, parseExpression } from './cel.ts';
import type { ASTNode } from './cel.ts';
import { assignable, BOOL, DOUBLE, DYN, formatType, INT, membersOf, STRING } from './value-type.ts';
import type { ValueType } from './value-type.ts';

/** What an expression may name, with its type. */
export type Scope = Record<string, ValueType>;

export interface ExpressionError {
  code: 'expression-syntax' | 'unknown-reference' | 'expression-type' | 'unknown-function';
  message: string;
  /** Character range in the expression. */
  start: number;
  end: number;
  expected?: string;
  found?: string;
  suggestion?: string;
}

export interface CheckedExpression {
  type: ValueType;
  errors: ExpressionError[];
  /** Every value it reads: `['metrics', 'baselines', 'knn', 'rmse']`; `*` for an index known only when it runs. */
  reads: string[][];
}

interface Typed {
  type: ValueType;
  /** The chain of names that leads to the value, when it is one. */
  path?: string[];
}

const ARITHMETIC = new Set(['+', '-', '*', '/', '%']);
const ORDER = new Set(['<', '<=', '>', '>=']);
const MACROS: Record<string, (element: ValueType, body: ValueType) => ValueType> = {
  all: () => BOOL,
  exists: () => BOOL,
  exists_one: () => BOOL,
  filter: (element) => ({ t: 'list', of: element }),
  map: (_, body) => ({ t: 'list', of: body }),
};
const RETURNS: Record<string, ValueType> = {
  int: INT,
  double: DOUBLE,
  bool: BOOL,
  string: STRING,
  'google.protobuf.Timestamp': { t: 'timestamp' },
  'google.protobuf.Duration': { t: 'duration' },
  'list<string>': { t: 'list', of: STRING },
};

/** Checks an expression (or a part of it) against what it may name; finds all unknown names and unfit types in one pass. */
export function checkExpression(text: string, scope: Scope, part?: ASTNode): CheckedExpression {
  const parsed = parseExpression(text);
  if (!('ast' in parsed)) {
    const { message, start, end } = parsed;
    return {
      type: DYN,
      reads: [],
      errors: [{ code: 'expression-syntax', message: `Not an expression: ${message}`, start, end }],
    };
  }
  const checker = new Checker();
  const { type } = checker.use(part ?? parsed.ast, scope);
  return { type, errors: checker.errors, reads: checker.reads };
}

class Checker {
  errors: ExpressionError[] = [];
  reads: string[][] = [];

  /** Type of a node whose value is used: a chain that ends here is a read. */
  use(node: ASTNode, scope: Scope): Typed {
    const typed = this.infer(node, scope);
    if (typed.path) this.reads.push(typed.path);
    return typed;
  }

  private error(node: ASTNode, error: Omit<ExpressionError, 'start' | 'end'>): Typed {
    this.errors.push({ ...error, start: node.start, end: node.end });
    return { type: DYN };
  }

  private infer(node: ASTNode, scope: Scope): Typed {
    switch (node.op) {
      case 'value':
        return { type: typeOfLiteral(node.args) };
      case 'id':
        return this.name(node, node.args, scope);
      case '.':
      case '.?':
        return this.member(node, this.infer(node.args[0], scope), node.args[1]);
      case '[]':
      case '[?]': {
        const [target, index] = node.args;
        const owner = unwrap(this.infer(target, scope));
        if (index.op === 'value' && typeof index.args === 'string') return this.member(node, owner, index.args);
        this.use(index, scope);
        const path = owner.path && [...owner.path, '*'];
        if (owner.type.t === 'list' || owner.type.t === 'map') return { type: owner.type.of, path };
        if (owner.type.t !== 'dyn' && !membersOf(owner.type))
          this.error(node, {
            code: 'expression-type',
            message: `A value of type ${formatType(owner.type)} has no elements`,
          });
        return { type: DYN, path };
      }
      case 'list': {
        const types = node.args.map((item) => this.use(item, scope).type);
        return { type: { t: 'list', of: common(types) } };
      }
      case 'map': {
        const fields: Record<string, ValueType> = {};
        let named = true;
        for (const [key, value] of node.args) {
          const type = this.use(value, scope).type;
          if (key.op === 'value' && typeof key.args === 'string') fields[key.args] = type;
          else named = false;
        }
        return { type: named ? { t: 'object', fields } : { t: 'map', of: DYN } };
      }
      case '?:': {
        const [condition, yes, no] = node.args;
        this.boolean(condition, scope);
        return { type: common([this.use(yes, scope).type, this.use(no, scope).type]) };
      }
      case '&&':
      case '||':
        for (const side of node.args) this.boolean(side, scope);
        return { type: BOOL };
      case '!_':
        this.boolean(node.args, scope);
        return { type: BOOL };
      case '-_': {
        const { type } = this.use(node.args, scope);
        if (!isNumber(type) && type.t !== 'dyn')
          this.error(node, {
            code: 'expression-type',
            message: 'Only a number can be negated',
            found: formatType(type),
          });
        return { type: isNumber(type) ? type : DYN };
      }
      case 'call':
        return this.call(node, node.args[0], undefined, node.args[1], scope);
      case 'rcall':
        return this.call(node, node.args[0], node.args[1], node.args[2], scope);
      default:
        return this.operator(node, node.op, node.args as [ASTNode, ASTNode], scope);
    }
  }

  private name(node: ASTNode, name: string, scope: Scope): Typed {
    if (Object.hasOwn(scope, name)) return { type: scope[name]!, path: [name] };
    const names = Object.keys(scope);
    return this.error(node, {
      code: 'unknown-reference',
      message: `There is no \`${name}\` here`,
      expected: names.length ? `one of ${names.join(', ')}` : 'no names: nothing can be read here',
      found: name,
      suggestion: didYouMean(name, names),
    });
  }

  private member(node: ASTNode, of: Typed, name: string): Typed {
    const owner = unwrap(of);
    const path = owner.path && [...owner.path, name];
    const { type } = owner;
    if (type.t === 'map') return { type: type.of, path };
    const object = membersOf(type);
    if (!object) {
      if (type.t === 'dyn') return { type: DYN, path };
      return this.error(node, {
        code: 'expression-type',
        message: `A value of type ${formatType(type)} has no \`${name}\``,
      });
    }
    if (Object.hasOwn(object.fields, name)) return { type: object.fields[name]!, path };
    const hint = object.hints?.[name];
    const names = Object.keys(object.fields);
    const owned = object.owner ?? `\`${owner.path?.join('.') ?? 'This'}\``;
    return this.error(node, {
      code: 'unknown-reference',
      message: hint ?? `${owned} has no ${object.noun ? `${object.noun} ` : ''}\`${name}\``,
      expected: names.length ? `one of ${bounded(names)}` : 'nothing: it has none',
      found: name,
      suggestion: hint ? undefined : didYouMean(name, names),
    });
  }

  private boolean(node: ASTNode, scope: Scope): void {
    const { type } = this.use(node, scope);
    if (type.t !== 'bool' && type.t !== 'dyn')
      this.error(node, {
        code: 'expression-type',
        message: 'A condition must be true or false',
        expected: 'boolean',
        found: formatType(type),
      });
  }

  private operator(node: ASTNode, op: string, args: [ASTNode, ASTNode], scope: Scope): Typed {
    const [left, right] = [this.use(args[0], scope).type, this.use(args[1], scope).type];
    const refuse = (message: string): Typed =>
      this.error(node, { code: 'expression-type', message, found: `${formatType(left)} ${op} ${formatType(right)}` });
    const unknown = left.t === 'dyn' || right.t === 'dyn';
    if (op === 'in') {
      const holds = right.t === 'list' || right.t === 'map' || right.t === 'dyn' || right.t === 'object';
      return holds ? { type: BOOL } : refuse('`in` needs a list or a map on its right');
    }
    if (op === '==' || op === '!=') {
      const nullable = left.t === 'null' || right.t === 'null';
      return unknown || nullable || assignable(left, right) || assignable(right, left)
        ? { type: BOOL }
        : refuse('These two can never be equal');
    }
    if (ORDER.has(op)) {
      const comparable = unknown || (isNumber(left) && isNumber(right)) || (left.t === right.t && ORDERED.has(left.t));
      return comparable ? { type: BOOL } : refuse(`\`${op}\` cannot compare these`);
    }
    if (ARITHMETIC.has(op)) {
      if (isNumber(left) && isNumber(right)) return { type: left.t === 'int' && right.t === 'int' ? INT : DOUBLE };
      if (unknown) return { type: DYN };
      if (op === '+' && left.t === 'string' && right.t === 'string') return { type: STRING };
      if (op === '+' && left.t === 'list' && right.t === 'list')
        return { type: { t: 'list', of: common([left.of, right.of]) } };
      if ((op === '+' || op === '-') && TEMPORAL.has(left.t) && TEMPORAL.has(right.t))
        return { type: left.t === right.t ? { t: 'duration' } : { t: 'timestamp' } };
      return refuse(`\`${op}\` is not defined for these`);
    }
    return { type: DYN };
  }

  private call(node: ASTNode, name: string, receiver: ASTNode | undefined, args: ASTNode[], scope: Scope): Typed {
    if (name === 'has' && !receiver && args.length === 1) {
      this.use(args[0]!, scope);
      return { type: BOOL };
    }
    if (receiver && MACROS[name] && args.length >= 2 && args[0]!.op === 'id')
      return this.macro(name, receiver, args, scope);
    const types = args.map((arg) => this.use(arg, scope).type);
    if (receiver) this.use(receiver, scope);
    const named = functions().get(`${receiver ? '.' : ''}${name}`);
    if (!named) {
      const names = [...functions().keys()]
        .filter((key) => key.startsWith('.') === Boolean(receiver))
        .map((key) => key.replace('.', ''));
      const hint =
        name === 'named' || name === 'first' ? ` here: it stands for an artifact, as the whole value of an input` : '';
      return this.error(node, {
        code: 'unknown-function',
        message: `There is no function \`${name}\`${hint}`,
        suggestion: hint ? undefined : didYouMean(name, names),
      });
    }
    if (!named.arities.has(args.length))
      return this.error(node, {
        code: 'expression-type',
        message: `\`${name}\` takes ${[...named.arities].join(' or ')} value${named.arities.has(1) ? '' : 's'}`,
        found: String(args.length),
      });
    if (name === 'min' || name === 'max' || name === 'abs') {
      const bad = types.find((type) => !isNumber(type) && type.t !== 'dyn');
      if (bad)
        this.error(node, { code: 'expression-type', message: `\`${name}\` needs numbers`, found: formatType(bad) });
      return { type: types.every((type) => type.t === 'int') ? INT : DOUBLE };
    }
    return { type: RETURNS[named.returns] ?? DYN };
  }

  private macro(name: string, receiver: ASTNode, args: ASTNode[], scope: Scope): Typed {
    const over = unwrap(this.infer(receiver, scope));
    const { type } = over;
    const variable = args[0]!.args as string;
    let element: ValueType = DYN;
    if (type.t === 'list') element = type.of;
    else if (type.t === 'map' || membersOf(type)) {
      element = STRING;
      // Only the keys are gone through here; values are read by an index.
      if (over.path) this.reads.push([...over.path, '*keys']);
    } else if (type.t !== 'dyn')
      this.error(receiver, {
        code: 'expression-type',
        message: `\`${name}\` goes through a list or a map`,
        found: formatType(type),
      });
    if (over.path && element.t !== 'string') this.reads.push(over.path);
    if (over.path && type.t === 'list' && element.t === 'string') this.reads.push(over.path);
    const inner = { ...scope, [variable]: element };
    let body: ValueType = DYN;
    const readsBefore = this.reads.length;
    for (const arg of args.slice(1)) body = this.use(arg, inner).type;
    // The variable is not a name of the pipeline.
    this.reads = this.reads.filter((read, i) => i < readsBefore || read[0] !== variable);
    return { type: MACROS[name]!(element, body) };
  }
}

const ORDERED = new Set(['string', 'bool', 'timestamp', 'duration']);
const TEMPORAL = new Set(['timestamp', 'duration']);
const isNumber = (type: ValueType): boolean => type.t === 'int' || type.t === 'double';

/** Metrics stand for their value. */
function unwrap(typed: Typed): Typed {
  const { type } = typed;
  return type.t === 'artifact' && type.kind === 'metrics' ? { ...typed, type: type.value ?? DYN } : typed;
}

function typeOfLiteral(value: unknown): ValueType {
  if (typeof value === 'bigint') return INT;
  if (typeof value === 'number') return DOUBLE;
  if (typeof value === 'string') return STRING;
  if (typeof value === 'boolean') return BOOL;
  return value === null ? { t: 'null' } : DYN;
}

/** The type that holds all of these. */
export function common(types: ValueType[]): ValueType {
  const first = types[0];
  if (!first) return DYN;
  if (types.every((type) => type.t === first.t && assignable(type, first) && assignable(first, type))) return first;
  return types.every(isNumber) ? DOUBLE : DYN;
}

let table: Map<string, { arities: Set<number>; returns: string }> | undefined;

function functions(): Map<string, { arities: Set<number>; returns: string }> {
  if (table) return table;
  table = new Map();
  for (const { name, receiver, arity, returns } of functionSignatures()) {
    const key = receiver ? `.${name}` : name;
    const known = table.get(key);
    if (known) {
      known.arities.add(arity);
      if (known.returns !== returns) known.returns = 'dyn';
    } else table.set(key, { arities: new Set([arity]), returns });
  }
  return table;
}

function bounded(names: string[]): string {
  return names.length > 12 ? `${names.slice(0, 12).join(', ')} … (${names.length})` : names.join(', ');
}
