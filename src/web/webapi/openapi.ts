/** The description of the web API in OpenAPI 3.1, made from its schemas. @module */
import type * as v from "valibot";
import { type JsonSchema, jsonSchemaOf } from "../http/mod.ts";
import { ErrorAnswer, File, type Method, methods, Structure } from "./schemas.ts";

/** Schemas that stand apart and are referred to. */
const named = new Map<unknown, string>([
  [Structure, "Structure"],
  [File, "File"],
  [ErrorAnswer, "Error"],
]);

/** The equivalent JSON Schema. */
export const jsonSchema = (s: v.GenericSchema, inPlace = false): JsonSchema =>
  jsonSchemaOf(s, named, inPlace);

function operation(name: string, method: Method) {
  const request = jsonSchema(method.request);
  const form: JsonSchema = {
    type: "object",
    properties: {
      request: { type: "string", description: "The request as JSON." },
      ...(method.files
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
    summary: method.summary,
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
        content: method.response === undefined
          ? { "application/octet-stream": { schema: { type: "string", format: "binary" } } }
          : { "application/json": { schema: jsonSchema(method.response) } },
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
