/** Schemas of valibot as JSON Schema (2020-12), for descriptions in OpenAPI. @module */
import type * as v from "valibot";

export type JsonSchema = { [key: string]: unknown };

/** The used properties of a valibot schema. */
interface Shape {
  type: string;
  wrapped?: v.GenericSchema;
  entries?: Record<string, v.GenericSchema>;
  items?: readonly v.GenericSchema[];
  item?: v.GenericSchema;
  value?: v.GenericSchema;
  options?: readonly unknown[];
  literal?: unknown;
  pipe?: readonly { kind: string; type: string; requirement?: unknown; description?: string }[];
  getter?: (input: unknown) => v.GenericSchema;
}

const mayBeAbsent = (schema: v.GenericSchema): boolean => {
  const { type, pipe } = schema as unknown as Shape;
  if (type === "nullish" || type === "optional") return true;
  return pipe !== undefined && pipe[0] as unknown !== schema &&
    ["nullish", "optional"].includes(pipe[0].type);
};

/** Allows null too. */
function orNull(schema: JsonSchema): JsonSchema {
  return typeof schema.type === "string" ? { ...schema, type: [schema.type, "null"] } : {
    anyOf: [schema, { type: "null" }],
  };
}

/**
 * The equivalent JSON Schema.
 * @param named schemas that are kept by name among the components, and referred to
 * @param inPlace describe this one here, even if it has a name
 * @throws Error for kinds of schemas that no API uses
 */
export function jsonSchemaOf(
  schema: v.GenericSchema,
  named: ReadonlyMap<unknown, string>,
  inPlace = false,
): JsonSchema {
  const of = (s: v.GenericSchema) => jsonSchemaOf(s, named);

  const object = (entries: Record<string, v.GenericSchema>, strict: boolean): JsonSchema => {
    const required = Object.keys(entries).filter((k) => !mayBeAbsent(entries[k]));
    return {
      type: "object",
      properties: Object.fromEntries(Object.entries(entries).map(([k, s]) => [k, of(s)])),
      ...(required.length > 0 ? { required } : {}),
      ...(strict ? { additionalProperties: false } : {}),
    };
  };

  const base = (shape: Shape): JsonSchema => {
    switch (shape.type) {
      case "string":
      case "number":
      case "boolean":
        return { type: shape.type };
      case "optional":
        return of(shape.wrapped!);
      case "nullish":
      case "nullable":
        return orNull(of(shape.wrapped!));
      case "array":
        return { type: "array", items: of(shape.item!) };
      case "tuple":
        return {
          type: "array",
          prefixItems: shape.items!.map((i) => of(i)),
          minItems: shape.items!.length,
          maxItems: shape.items!.length,
        };
      case "record":
        return { type: "object", additionalProperties: of(shape.value!) };
      case "picklist":
        return { type: "string", enum: [...shape.options!] };
      case "literal":
        return { const: shape.literal };
      case "variant":
      case "union":
        return { oneOf: shape.options!.map((o) => of(o as v.GenericSchema)) };
      case "lazy":
        return of(shape.getter!(undefined));
      case "object":
      case "strict_object":
        return object(shape.entries!, shape.type === "strict_object");
      default:
        throw new Error(`no description for schemas of type ${shape.type}`);
    }
  };

  const name = named.get(schema);
  if (name !== undefined && !inPlace) return { $ref: `#/components/schemas/${name}` };
  const s = schema as unknown as Shape;
  if (s.pipe === undefined) return base(s);
  const [first, ...rest] = s.pipe;
  let out = of({ ...first, pipe: undefined } as unknown as v.GenericSchema);
  const inner = (first as unknown as Shape).pipe;
  if (inner !== undefined) out = of(first as unknown as v.GenericSchema);
  for (const action of rest) {
    const n = action.requirement;
    if (action.type === "description") out.description = action.description;
    else if (action.type === "integer" || action.type === "safe_integer") out.type = "integer";
    else if (action.type === "min_value") out.minimum = n;
    else if (action.type === "max_value") out.maximum = n;
    else if (action.type === "min_length") out[out.type === "array" ? "minItems" : "minLength"] = n;
    else if (action.type === "max_length") out[out.type === "array" ? "maxItems" : "maxLength"] = n;
    else if (action.type === "iso_timestamp") out.format = "date-time";
  }
  return out;
}
