/** Markup that may be put into a page as it is. */
export interface Html {
  readonly html: string;
}

export type Child = Html | string | number | undefined | null | false | readonly Child[];

/** Markup whose inserted values are text: everything that comes from data is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...values: Child[]): Html {
  return { html: strings.reduce((all, part, i) => all + markup(values[i - 1]) + part) };
}

/** Markup made elsewhere, known to be harmless. */
export const trusted = (markup: string): Html => ({ html: markup });

function markup(value: Child): string {
  if (value === undefined || value === null || value === false) return '';
  if (Array.isArray(value)) return value.map(markup).join('');
  return typeof value === 'object' ? (value as Html).html : escapeText(String(value));
}

export const escapeText = (text: string): string => text.replace(/[&<>"'`]/g, (char) => `&#${char.codePointAt(0)};`);
