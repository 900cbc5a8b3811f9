import { expressionInterpreter } from 'vega-interpreter';
import { parse, resetSVGDefIds, View, Warn } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** Colours are the page's own, so that one drawing suits light, dark and paper. */
const THEME = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  padding: 6,
  mark: { color: 'var(--c1)' },
  range: { category: ['var(--c1)', 'var(--c2)', 'var(--c3)', 'var(--c4)', 'var(--c5)', 'var(--c6)'] },
  axis: {
    labelColor: 'var(--muted)',
    titleColor: 'var(--ink)',
    gridColor: 'var(--line)',
    domainColor: 'var(--line)',
    tickColor: 'var(--line)',
    titleFontWeight: 500,
    // A phone shows a figure at some six tenths of its size.
    labelFontSize: 12,
    titleFontSize: 13,
  },
  legend: {
    labelColor: 'var(--ink)',
    titleColor: 'var(--ink)',
    titleFontWeight: 500,
    labelFontSize: 12,
    titleFontSize: 13,
  },
  header: { labelColor: 'var(--ink)', titleColor: 'var(--ink)' },
  title: { color: 'var(--ink)', subtitleColor: 'var(--muted)' },
  text: { color: 'var(--ink)' },
  rule: { color: 'var(--muted)' },
  view: { stroke: 'transparent' },
} as const;

/** Marks and clips of drawings are numbered through a page; call before its first. */
export const beginPage = (): void => resetSVGDefIds();

/**
 * Draws a Vega-Lite specification as SVG. Specifications are data of others: expressions are interpreted instead of being
 * compiled to code, nothing is loaded, and links and images are taken out.
 *
 * @throws what Vega says of a specification it cannot draw
 */
export async function drawFigure(spec: Record<string, unknown>): Promise<string> {
  // Vega goes on after most problems, with a part of the figure missing; a report says so instead.
  const problems: string[] = [];
  const logger = quietLogger(problems);
  const refuse = async (uri: string): Promise<never> => {
    problems.unshift(`it asks for ${uri}; a figure holds its own data`);
    throw new Error('nothing is loaded');
  };
  const themed = { width: 440, height: 260, ...spec, config: { ...THEME, ...(spec['config'] as object) } };
  const compiled = compile(themed as unknown as TopLevelSpec, { logger: logger as never });
  const view = new View(parse(compiled.spec, undefined, { ast: true }), {
    renderer: 'none',
    expr: expressionInterpreter,
    logger: logger as never,
    loader: { load: refuse, sanitize: async () => ({ href: '' }), http: refuse, file: refuse } as never,
  });
  try {
    await view.runAsync();
    const svg = await view.toSVG();
    if (problems.length > 0) throw new Error(problems[0]);
    return harmless(svg);
  } finally {
    view.finalize();
  }
}

/** Vega escapes text; what is left to take out are elements that point elsewhere. */
function harmless(svg: string): string {
  return svg
    .replace(/<image\b[^>]*>/gi, '')
    .replace(/<\/?a\b[^>]*>/gi, '')
    .replace(/\s(?:xlink:)?href="(?!#)[^"]*"/gi, '');
}

/** Takes errors; hints to a figure's author do not belong into the output of a run. */
function quietLogger(problems: string[]): unknown {
  const logger: Record<string, (...words: unknown[]) => unknown> = {
    level: (level) => (level === undefined ? Warn : logger),
    error: (...words) => {
      problems.push(words.map((word) => (word instanceof Error ? word.message : String(word))).join(' '));
      return logger;
    },
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
  };
  return logger;
}
