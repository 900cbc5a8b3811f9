import { html, trusted, type Child, type Html } from './html.ts';
import { STYLE } from './style.ts';

/**
 * A whole page that asks for nothing: no script, no font, no picture from elsewhere. Its policy has a browser refuse what
 * data might bring in.
 */
export function page(title: string, body: Child): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
  const { html: document } = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href="data:," />
      <title>${title}</title>
      <style>
        ${trusted(STYLE)}
      </style>
    </head>
    <body>
      <main>${body}</main>
    </body>
  </html>`;
  return `<!doctype html>\n${document}\n`;
}

/** Light, dark or as the system has it: a choice that needs no script. */
export const themeSwitch = (): Html =>
  html`<div class="themes" role="radiogroup" aria-label="Colours">
    <input type="radio" name="theme" id="system" checked /><label for="system">System</label>
    <input type="radio" name="theme" id="light" /><label for="light">Light</label>
    <input type="radio" name="theme" id="dark" /><label for="dark">Dark</label>
  </div>`;

/** A section that is left out when it has nothing to say. */
export const section = (id: string, title: string, body: Child): Html | undefined =>
  body === undefined || body === false || (Array.isArray(body) && body.length === 0)
    ? undefined
    : html`<section id="${id}" aria-labelledby="${id}-title">
        <h2 id="${id}-title">${title}</h2>
        ${body}
      </section>`;

export interface Column {
  title: string;
  number?: boolean;
  wide?: boolean;
}

export function table(columns: readonly Column[], rows: readonly Child[]): Html {
  const head = columns.map(({ title, number }) => html`<th scope="col" class="${number ? 'n' : ''}">${title}</th>`);
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}
