/** The description of the admin API: in OpenAPI 3.1, and as a web page. @module */
import { adminCalls } from "../../../webmail/admin/api/mod.ts";
import { ErrorAnswer } from "../../../webmail/api/basics.ts";
import { type JsonSchema, jsonSchemaOf } from "../http/mod.ts";
import { originalCalls } from "./original_calls.ts";
import { type AdminCallName, type CallRule, callRules } from "./rules.ts";

const named: ReadonlyMap<unknown, string> = new Map([[ErrorAnswer, "Error"]]);

/** Calls available to programs. */
const listed = (Object.entries(callRules) as [AdminCallName, CallRule][])
  .filter(([, r]) => !r.pageOnly);

const scopeOf = (r: CallRule) => `${r.area}:${r.kind}`;

const changes: JsonSchema = {
  type: "object",
  properties: {
    dryRun: { const: true },
    changes: {
      type: "array",
      items: {
        type: "object",
        properties: {
          what: { type: "string" },
          before: { type: "string" },
          after: { type: "string" },
        },
        required: ["what", "before", "after"],
      },
    },
  },
  required: ["dryRun", "changes"],
};

function operation(name: AdminCallName, rule: CallRule): JsonSchema {
  const answer = jsonSchemaOf(adminCalls[name].response, named);
  const error = (description: string) => ({
    description,
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  });
  return {
    operationId: name,
    tags: [rule.area],
    summary: rule.text,
    description: `Scope: ${scopeOf(rule)}.${
      rule.own ? " Also for tokens of some domains, within these." : ""
    }`,
    parameters: [
      ...(rule.trial ? [{ $ref: "#/components/parameters/DryRun" }] : []),
      ...(rule.kind === "write" ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : []),
    ],
    requestBody: {
      required: true,
      content: {
        "application/json": { schema: jsonSchemaOf(adminCalls[name].request, named) },
      },
    },
    responses: {
      "200": {
        description: rule.trial ? "Done; or, of a dry run, what it would change." : "Done.",
        content: {
          "application/json": { schema: rule.trial ? { oneOf: [answer, changes] } : answer },
        },
      },
      "400": error("The request doesn't fit; the message names the field."),
      "401": error("No token, an unknown one, or one that has expired."),
      "403": error("The token lacks the scope, or the call is for other callers."),
      "404": error("What the request names isn't there, or is of a domain of others."),
      "409": error("Another request had this Idempotency-Key, or was cut off."),
      "422": error("It can't be done; the message says why."),
      "429": error("Too many failed logins, or too many calls at a time."),
      "500": error("An error of the server."),
    },
  };
}

/** The whole description. @param path under which the API is served, without "/" at its end */
export function adminOpenApi(version: string, path: string): JsonSchema {
  return {
    openapi: "3.1.0",
    info: {
      title: "mox admin API",
      version,
      description: "Domains, accounts, the queue, reports and settings of a mail server.",
    },
    servers: [{ url: path }],
    security: [{ token: [] }],
    paths: Object.fromEntries(
      listed.map(([name, r]) => [`/${name}`, { post: operation(name, r) }]),
    ),
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "Made on the admin page, or with `mox config admintoken add`.",
        },
      },
      parameters: {
        DryRun: {
          name: "dryRun",
          in: "query",
          schema: { type: "string", enum: ["1"] },
          description: "Check the change, and answer what it would change, without making it.",
        },
        IdempotencyKey: {
          name: "Idempotency-Key",
          in: "header",
          schema: { type: "string", minLength: 1, maxLength: 200 },
          description:
            "The same request with the same key, within a day, is carried out once: it is answered again as it was.",
        },
      },
      schemas: { Error: jsonSchemaOf(ErrorAnswer, named, true) },
    },
  };
}

const style = "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;" +
  "padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse;width:100%}" +
  "td,th{text-align:left;vertical-align:top;border-bottom:1px solid #8888;padding:.3rem .6rem}" +
  "pre{overflow:auto;padding:1rem;border:1px solid #8888;border-radius:.4rem}";

/** HTML of the page. Nothing in it comes from a request. */
export function adminApiPage(): string {
  const quoted = (s: string) => s.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const rows = listed.map(([name, r]) =>
    `<tr><td><code>${name}</code></td><td>${quoted(r.text)}</td><td><code>${
      scopeOf(r)
    }</code></td><td>${r.trial ? "yes" : ""}</td><td>${r.own ? "yes" : ""}</td></tr>`
  );
  const example = `curl --header 'Authorization: Bearer moxadm_…' \\
  --header 'Content-Type: application/json' \\
  --data '{"name": "ann", "address": "ann@example.org"}' \\
  'https://mail.example.org/admin/api/AccountAdd?dryRun=1'`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Admin API</title>` +
    `<meta name="viewport" content="width=device-width"><style>${style}</style></head><body><main>` +
    `<h1>Admin API</h1><p>Each call is a POST to its name with a JSON object, and a token of the admin page. ` +
    `Requests and answers are described in <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>` +
    `<pre>${
      quoted(example)
    }</pre><table><thead><tr><th>Call</th><th>What it does</th><th>Scope</th>` +
    `<th>Dry run</th><th>Tokens of some domains</th></tr></thead><tbody>${
      rows.join("")
    }</tbody></table>` +
    `<h2>Names of the original</h2><p>These also take <code>{"params": […]}</code> and answer ` +
    `<code>{"result": …}</code>: ${
      Object.keys(originalCalls).map((n) => `<code>${n}</code>`).join(", ")
    }.</p></main></body></html>`;
}
