/** The page that describes the web API to people, generated from its schemas. @module */
import type { JsonSchema } from "../http/mod.ts";
import { jsonSchema } from "./openapi.ts";
import { apiErrorCodes } from "./errors.ts";
import { methods, Structure } from "./schemas.ts";

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (s: string) => s.replace(/[&<>"]/g, (c) => escapes[c]);

const style = "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;" +
  "padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse;width:100%}" +
  "td,th{text-align:left;vertical-align:top;border-bottom:1px solid #8888;padding:.3rem .6rem}" +
  "pre{overflow:auto;padding:1rem;border:1px solid #8888;border-radius:.4rem}";

/** A short description of a value. */
function kind(schema: JsonSchema): string {
  if (typeof schema.$ref === "string") return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (Array.isArray(schema.anyOf)) return kind(schema.anyOf[0] as JsonSchema);
  const type = Array.isArray(schema.type) ? String(schema.type[0]) : String(schema.type);
  if (type === "array" && schema.items !== undefined) {
    return `list of ${kind(schema.items as JsonSchema)}`;
  }
  if (type === "array") return "pair";
  if (schema.format === "date-time") return "time";
  if (type === "object" && typeof schema.additionalProperties === "object") return "map of texts";
  const entries = schema.properties === undefined
    ? []
    : Object.keys(schema.properties as JsonSchema);
  return type === "object" && entries.length > 0 ? `{${entries.join(", ")}}` : type;
}

function table(schema: JsonSchema): string {
  const required = (schema.required ?? []) as string[];
  const rows = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).map(
    ([name, p]) =>
      `<tr><td><code>${name}</code></td><td>${escape(kind(p))}</td><td>${
        required.includes(name) ? "always" : "optional"
      }</td><td>${escape(String(p.description ?? ""))}</td></tr>`,
  );
  if (rows.length === 0) return "<p>Nothing: <code>{}</code>.</p>";
  return `<table><thead><tr><th>Name</th><th>Type</th><th></th><th>Meaning</th></tr></thead><tbody>${
    rows.join("")
  }</tbody></table>`;
}

/** HTML of the page. */
export function documentationPage(): string {
  const sections = Object.entries(methods).map(([name, m]) =>
    `<section><h2 id="${name}">${name}</h2><p>${escape(m.summary)}.</p><h3>Request</h3>${
      table(jsonSchema(m.request))
    }<h3>Answer</h3>${
      m.response === undefined ? "<p>The bytes.</p>" : table(jsonSchema(m.response))
    }</section>`
  );
  const example = `curl --user you@example.org \\
  --header 'Content-Type: application/json' \\
  --data '{"To": [{"Address": "friend@example.com"}], "Subject": "Hello", "Text": "Hi!"}' \\
  https://mail.example.org/webapi/v0/Send`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Web API</title>` +
    `<meta name="viewport" content="width=device-width"><style>${style}</style></head><body><main>` +
    `<h1>Web API</h1><p>Each method is a POST to its name, with HTTP basic authentication: an email ` +
    `address of the account, and its password. The body is the request as JSON, or a form with the JSON ` +
    `in the field <code>request</code>; in <code>multipart/form-data</code>, Send also takes files in the ` +
    `fields <code>inlinefile</code>, <code>attachedfile</code> and <code>alternativefile</code>. ` +
    `A machine-readable description is <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>` +
    `<pre>${escape(example)}</pre>` +
    `<p>What can't be done is answered with status 400 (or 401, 409, 413, 429, 500) and ` +
    `<code>{"Code": …, "Message": …}</code>. Codes: ${
      apiErrorCodes.map((c) => `<code>${c}</code>`).join(", ")
    }.</p><nav><ul>${
      Object.keys(methods).map((n) => `<li><a href="#${n}">${n}</a></li>`).join("")
    }</ul></nav>${sections.join("")}<section><h2>Structure</h2>${
      table(jsonSchema(Structure, true))
    }</section></main></body></html>`;
}
