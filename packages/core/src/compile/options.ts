import type { z } from 'zod';
import { didYouMean } from '../did-you-mean.ts';
import type { DocPath } from '../document.ts';
import { parseExpression } from '../expression/cel.ts';
import type { Scope } from '../expression/check.ts';
import { hasExpression, resolveTemplates } from '../expression/template.ts';
import { typeOfSchema } from '../expression/schema-type.ts';
import { assignable, formatType } from '../expression/value-type.ts';
import type { Json, ParamPlan } from '../plan.ts';
import type { StageManifest } from '../stage.ts';
import { checkValue } from './expressions.ts';
import type { OnRead } from './expressions.ts';
import { isFields, showValue } from './reporter.ts';
import type { Fields, Reporter } from './reporter.ts';
import { unknownKeys } from './unknown-keys.ts';

interface Site {
  r: Reporter;
  /** Of `with`. */
  path: DocPath;
  /** Of the stage, for what is missing from `with`. */
  stagePath: DocPath;
  scope: Scope;
  onRead: OnRead;
  params: Record<string, ParamPlan>;
}

/** Checks the options of a stage against its zod schema; expressions by their static type and by the params' defaults. */
export function checkOptions(site: Site, manifest: StageManifest, given: Fields): Record<string, Json> {
  const { r, path, scope, onRead } = site;
  const probe: Fields = {};
  const unknown = new Set<string>();
  const schemas = manifest.options.shape as Record<string, z.ZodType>;
  for (const [name, value] of Object.entries(given)) {
    const before = r.diagnostics.length;
    const type = checkValue(r, [...path, name], value, scope, onRead);
    const expected = type && schemas[name] ? typeOfSchema(schemas[name], 'input') : undefined;
    if (type && expected && !assignable(type, expected))
      r.report([...path, name], 'option-invalid', `The option \`${name}\` of ${manifest.id} cannot be this`, {
        expected: formatType(expected),
        found: `${showValue(value)}, which is ${formatType(type)}`,
      });
    const resolved = r.diagnostics.length > before ? undefined : withDefaults(value, site.params);
    if (resolved) probe[name] = resolved.value;
    else unknown.add(name);
  }
  // With a value unknown until the run, the schema as a whole (its refinements) cannot be judged, its fields can.
  const issues: z.core.$ZodIssue[] = [];
  if (unknown.size === 0) issues.push(...(manifest.options.safeParse(probe).error?.issues ?? []));
  else
    for (const [name, schema] of Object.entries(schemas)) {
      if (unknown.has(name)) continue;
      for (const issue of schema.safeParse(probe[name]).error?.issues ?? [])
        issues.push({ ...issue, path: [name, ...issue.path] });
    }
  for (const issue of issues) reportIssue(site, manifest, issue, probe);
  for (const [name, value] of Object.entries(given))
    for (const { path: within, names } of schemas[name] ? unknownKeys(schemas[name], value) : []) {
      const at = [...path, name, ...within];
      const key = String(within.at(-1));
      if (!reported(site, at))
        r.report(at, 'unknown-option', `${manifest.id} does not know \`${key}\` here`, {
          at: 'key',
          expected: `one of ${names.join(', ')}`,
          found: key,
          suggestion: didYouMean(key, names),
        });
    }
  return given as Record<string, Json>;
}

/** The value with params' defaults in place of expressions; undefined when it depends on more than params. */
function withDefaults(value: unknown, params: Record<string, ParamPlan>): { value: unknown } | undefined {
  if (!hasExpression(value)) return { value };
  const context: Record<string, unknown> = {};
  for (const [name, param] of Object.entries(params))
    if (param.default !== undefined)
      context[name] = param.type === 'integer' ? BigInt(param.default as number) : param.default;
  try {
    return {
      value: resolveTemplates(value, (text) => {
        const expression = parseExpression(text);
        if (!('ast' in expression)) throw new Error(expression.message);
        return expression.evaluate({ params: context });
      }),
    };
  } catch {
    return undefined;
  }
}

function reportIssue(site: Site, manifest: StageManifest, issue: z.core.$ZodIssue, probe: Fields): void {
  const { r, path, stagePath } = site;
  const at = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  let found: unknown = probe;
  for (const part of at) found = isFields(found) || Array.isArray(found) ? (found as Fields)[part] : undefined;
  if (issue.code === 'unrecognized_keys') {
    const keys = Object.keys((manifest.options.shape as Fields) ?? {});
    for (const key of issue.keys)
      r.report([...path, ...at, key], 'unknown-option', `${manifest.id} has no option \`${key}\``, {
        at: 'key',
        suggestion: at.length === 0 ? didYouMean(key, keys) : undefined,
      });
    return;
  }
  const name = at.join('.');
  if (found === undefined && at.length === 1) {
    r.report(stagePath, 'missing-option', `${manifest.id} needs the option \`${name}\``, {
      at: 'key',
      expected: describeOption(manifest, at[0] as string),
    });
    return;
  }
  r.report(
    [...path, ...at],
    'option-invalid',
    `The option \`${name || 'with'}\` of ${manifest.id} ${complaint(issue)}`,
    {
      expected: expectedOf(issue),
      found: showValue(found),
      suggestion:
        issue.code === 'invalid_value' && typeof found === 'string'
          ? didYouMean(found, issue.values.map(String))
          : undefined,
    },
  );
}

function describeOption(manifest: StageManifest, name: string): string | undefined {
  const schema = (manifest.options.shape as Record<string, z.ZodType>)[name];
  if (!schema) return undefined;
  const type = formatType(typeOfSchema(schema, 'input'));
  return schema.description ? `${type}: ${schema.description}` : type;
}

function complaint(issue: z.core.$ZodIssue): string {
  // zod's own words repeat what stands under `expected` and `found`.
  if (issue.code === 'too_small') return 'is too small';
  if (issue.code === 'too_big') return 'is too large';
  if (issue.code === 'invalid_type') return 'has the wrong type';
  if (issue.code === 'invalid_value') return 'cannot be this';
  return `is not valid: ${issue.message}`;
}

function expectedOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'invalid_type') return issue.expected;
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small') return `${issue.inclusive ? 'at least' : 'more than'} ${String(issue.minimum)}`;
  if (issue.code === 'too_big') return `${issue.inclusive ? 'at most' : 'less than'} ${String(issue.maximum)}`;
  return undefined;
}

function reported(site: Site, path: DocPath): boolean {
  const place = site.r.doc.position(path, 'key');
  return site.r.diagnostics.some(
    (d) => d.code === 'unknown-option' && d.line === place.line && d.column === place.column,
  );
}
