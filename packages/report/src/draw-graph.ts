import dagre from '@dagrejs/dagre';
import { formatDuration } from '@hourglass/core';
import { html, type Html } from './html.ts';
import type { ReportStage } from './run-report.ts';
import { lookOf } from './status.ts';

const HEIGHT = 52;
/** Width of a character of the label's font, about. */
const CHAR = 8.2;

/** The stages of the top level and what flows between them, as SVG. Stages are links to their lines in the table. */
export function drawGraph(stages: readonly ReportStage[]): Html {
  const top = stages.filter(({ depth }) => depth === 0);
  const known = new Set(top.map(({ path }) => path));
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 34, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const stage of top) {
    const width = Math.min(
      220,
      Math.max(112, 28 + CHAR * Math.max(shorten(stage.path).length + 2, detail(stage).length)),
    );
    graph.setNode(stage.path, { width, height: HEIGHT });
  }
  for (const stage of top) for (const need of stage.needs) if (known.has(need)) graph.setEdge(need, stage.path);
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const edges = graph.edges().map((edge: { v: string; w: string }) => {
    const { points } = graph.edge(edge) as { points: { x: number; y: number }[] };
    return html`<path class="edge" d="${pathThrough(points)}" marker-end="url(#arrow)" />`;
  });
  const nodes = top.map((stage) => {
    const at = graph.node(stage.path) as { x: number; y: number; width: number };
    const look = lookOf(stage.status);
    const left = at.x - at.width / 2;
    return html`<a href="#${anchorOf(stage.path)}"
      ><g class="node ${look.tone}" transform="translate(${left.toFixed(1)} ${(at.y - HEIGHT / 2).toFixed(1)})">
        <title>${stage.path}: ${stage.uses}, ${look.word}</title>
        <rect width="${at.width.toFixed(1)}" height="${HEIGHT}" rx="8" />
        <text x="12" y="22" class="name">${look.mark} ${shorten(stage.path)}</text>
        <text x="12" y="40" class="detail">${detail(stage)}</text>
      </g></a
    >`;
  });
  return html`<svg
    class="graph"
    role="img"
    aria-label="The stages and what flows between them"
    width="${Math.ceil(width)}"
    height="${Math.ceil(height)}"
    viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}"
  >
    <defs>
      <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
        <path d="M0 0 L8 4 L0 8 z" class="tip" />
      </marker>
    </defs>
    ${edges}${nodes}
  </svg>`;
}

export const anchorOf = (path: string): string => `stage-${path.replace(/[^A-Za-z0-9_.-]/g, '_')}`;

function detail(stage: ReportStage): string {
  const time = stage.took !== undefined && stage.status !== 'cached' ? formatDuration(stage.took) : '';
  const fan = stage.fan ? `${stage.fan.done}/${stage.fan.total} ${stage.fan.what}` : '';
  return [lookOf(stage.status).word, fan, time].filter(Boolean).join(' · ');
}

const shorten = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

/** A smooth line: quadratic pieces through the middles. */
function pathThrough(points: readonly { x: number; y: number }[]): string {
  const at = ({ x, y }: { x: number; y: number }): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const [first, ...others] = points;
  const last = others.pop()!;
  const middles = others.map((point, i) => {
    const next = others[i + 1] ?? last;
    return `Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`;
  });
  return `M${at(first!)} ${middles.join(' ')} L${at(last)}`;
}
