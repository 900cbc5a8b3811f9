export { collectReport } from './collect-report.ts';
export { compareRuns, type Compared, type Comparison } from './compare-runs.ts';
export { comparisonHtml, comparisonMarkdown, withDelta } from './render-comparison.ts';
export { renderHtml } from './render-html.ts';
export { renderMarkdown } from './render-markdown.ts';
export type { ReportFigure, ReportStage, RunReport, StageMetrics, TrainingCurve } from './run-report.ts';
