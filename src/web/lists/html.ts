/** The appearance of list pages: plain HTML, without scripts. @module */

/** HTML that is safe as it is. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function shown(v: unknown): string {
  if (v instanceof Html) return v.text;
  if (Array.isArray(v)) return v.map(shown).join("");
  if (v === undefined || v === false) return "";
  return String(v).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** HTML with values: texts are escaped, HTML and lists of it are not. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  return new Html(strings.reduce((out, s, i) => out + shown(values[i - 1]) + s));
}

const style = `
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
form{margin:.5rem 0}input{font:inherit;padding:.3rem .5rem;margin:.2rem 0}
label{display:block}button{font:inherit;padding:.3rem .9rem;cursor:pointer}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .5rem .25rem 0;vertical-align:top}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border-top:1px solid #8888;padding-top:1rem}
.small{font-size:.9rem;opacity:.8}nav{font-size:.9rem}`;

/** A whole page. */
export function page(status: number, title: string, body: Html): Response {
  const text = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="robots" content="noindex">
        <title>${title}</title>
        <style>${new Html(style)}</style>
      </head>
      <body>
        <main><h1>${title}</h1>
    ${body}
        </main>
      </body>
    </html>
  `.text;
  return new Response(text, {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    },
  });
}
