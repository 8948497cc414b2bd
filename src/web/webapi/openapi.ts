/** The description of the web API in OpenAPI 3.1, made from its schemas. @module */
import type * as v from "valibot";
import { ErrorAnswer, File, type Method, methods, Structure } from "./schemas.ts";

export type JsonSchema = { [key: string]: unknown };

/** What is read of a schema of valibot. */
interface Shape {
  type: string;
  wrapped?: v.GenericSchema;
  entries?: Record<string, v.GenericSchema>;
  items?: readonly v.GenericSchema[];
  item?: v.GenericSchema;
  value?: v.GenericSchema;
  options?: readonly unknown[];
  pipe?: readonly { kind: string; type: string; requirement?: unknown; description?: string }[];
  getter?: (input: unknown) => v.GenericSchema;
}

/** Schemas that stand apart and are referred to. */
const named = new Map<unknown, string>([
  [Structure, "Structure"],
  [File, "File"],
  [ErrorAnswer, "Error"],
]);

const mayBeAbsent = (s: v.GenericSchema): boolean => {
  const { type, pipe } = s as unknown as Shape;
  if (type === "nullish" || type === "optional") return true;
  return pipe !== undefined && pipe[0] as unknown !== s &&
    ["nullish", "optional"].includes(pipe[0].type);
};

function object(entries: Record<string, v.GenericSchema>, strict: boolean): JsonSchema {
  const required = Object.keys(entries).filter((k) => !mayBeAbsent(entries[k]));
  return {
    type: "object",
    properties: Object.fromEntries(Object.entries(entries).map(([k, s]) => [k, jsonSchema(s)])),
    ...(required.length > 0 ? { required } : {}),
    ...(strict ? { additionalProperties: false } : {}),
  };
}

/** With null as another value. */
function orNull(s: JsonSchema): JsonSchema {
  return typeof s.type === "string" ? { ...s, type: [s.type, "null"] } : {
    anyOf: [s, { type: "null" }],
  };
}

function base(s: Shape): JsonSchema {
  switch (s.type) {
    case "string":
    case "number":
    case "boolean":
      return { type: s.type };
    case "nullish":
    case "nullable":
      return orNull(jsonSchema(s.wrapped!));
    case "array":
      return { type: "array", items: jsonSchema(s.item!) };
    case "tuple":
      return {
        type: "array",
        prefixItems: s.items!.map((i) => jsonSchema(i)),
        minItems: s.items!.length,
        maxItems: s.items!.length,
      };
    case "record":
      return { type: "object", additionalProperties: jsonSchema(s.value!) };
    case "picklist":
      return { type: "string", enum: [...s.options!] };
    case "lazy":
      return jsonSchema(s.getter!(undefined));
    case "object":
    case "strict_object":
      return object(s.entries!, s.type === "strict_object");
    default:
      throw new Error(`no description for schemas of type ${s.type}`);
  }
}

/** The JSON Schema that says the same. @throws Error for kinds of schemas that the API doesn't use */
export function jsonSchema(schema: v.GenericSchema, inPlace = false): JsonSchema {
  const name = named.get(schema);
  if (name !== undefined && !inPlace) return { $ref: `#/components/schemas/${name}` };
  const s = schema as unknown as Shape;
  if (s.pipe === undefined) return base(s);
  const [first, ...rest] = s.pipe;
  let out = jsonSchema({ ...first, pipe: undefined } as unknown as v.GenericSchema);
  const inner = (first as unknown as Shape).pipe;
  if (inner !== undefined) out = jsonSchema(first as unknown as v.GenericSchema);
  for (const action of rest) {
    const n = action.requirement;
    if (action.type === "description") out.description = action.description;
    else if (action.type === "integer") out.type = "integer";
    else if (action.type === "min_value") out.minimum = n;
    else if (action.type === "max_value") out.maximum = n;
    else if (action.type === "min_length") out[out.type === "array" ? "minItems" : "minLength"] = n;
    else if (action.type === "max_length") out[out.type === "array" ? "maxItems" : "maxLength"] = n;
    else if (action.type === "iso_timestamp") out.format = "date-time";
  }
  return out;
}

function operation(name: string, m: Method) {
  const request = jsonSchema(m.request);
  const form: JsonSchema = {
    type: "object",
    properties: {
      request: { type: "string", description: "The request as JSON." },
      ...(m.files
        ? Object.fromEntries(
          ["inlinefile", "attachedfile", "alternativefile"].map((
            f,
          ) => [f, { type: "array", items: { type: "string", format: "binary" } }]),
        )
        : {}),
    },
    required: ["request"],
  };
  const error = (description: string) => ({
    description,
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  });
  return {
    operationId: name,
    summary: m.summary,
    requestBody: {
      required: true,
      content: {
        "application/json": { schema: request },
        "application/x-www-form-urlencoded": {
          schema: {
            type: "object",
            properties: { request: { type: "string" } },
            required: ["request"],
          },
        },
        "multipart/form-data": { schema: form },
      },
    },
    responses: {
      "200": {
        description: "Done.",
        content: m.response === undefined
          ? { "application/octet-stream": { schema: { type: "string", format: "binary" } } }
          : { "application/json": { schema: jsonSchema(m.response) } },
      },
      "400": error("The request can't be carried out; the code says why."),
      "401": error("Name or password are wrong."),
      "429": error("Too many failed logins, or too many calls."),
      "500": error("An error of the server."),
    },
  };
}

/** The whole description. @param path under which the API is served, with "/" at its end */
export function openApi(version: string, path: string): JsonSchema {
  return {
    openapi: "3.1.0",
    info: {
      title: "mox web API",
      version,
      description: "Sending mail, and working with messages that arrived, over HTTP with JSON.",
    },
    servers: [{ url: path }],
    security: [{ basic: [] }],
    paths: Object.fromEntries(
      Object.entries(methods).map(([name, m]) => [`/${name}`, { post: operation(name, m) }]),
    ),
    components: {
      securitySchemes: {
        basic: { type: "http", scheme: "basic", description: "Email address and password." },
      },
      schemas: Object.fromEntries(
        [...named].map(([s, name]) => [name, jsonSchema(s as v.GenericSchema, true)]),
      ),
    },
  };
}
