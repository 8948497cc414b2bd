/** Requests of the API, checked. @module */
import * as v from "valibot";

const ids = v.optional(v.nullable(v.array(v.string())), []);

export const readRequest = v.object({
  IDs: ids,
  Read: v.optional(v.boolean(), false),
  Search: v.optional(v.string(), ""),
});
export const deleteRequest = v.object({ IDs: ids });
export const tagsRequest = v.object({
  IDs: v.array(v.string()),
  Tags: v.nullable(v.array(v.string())),
});
export const renameRequest = v.object({ Name: v.string() });
export const releaseRequest = v.object({ To: v.pipe(v.array(v.string()), v.minLength(1)) });

const person = v.object({ Email: v.string(), Name: v.optional(v.nullable(v.string()), "") });
const people = v.optional(v.nullable(v.array(person)), []);
export const sendRequest = v.object({
  From: person,
  To: people,
  Cc: people,
  Bcc: v.optional(v.nullable(v.array(v.string())), []),
  ReplyTo: people,
  Subject: v.optional(v.nullable(v.string()), ""),
  Text: v.optional(v.nullable(v.string()), ""),
  HTML: v.optional(v.nullable(v.string()), ""),
  Headers: v.optional(v.nullable(v.record(v.string(), v.string())), {}),
  Tags: v.optional(v.nullable(v.array(v.string())), []),
  Attachments: v.optional(
    v.nullable(v.array(v.object({
      Content: v.string(),
      Filename: v.string(),
      ContentType: v.optional(v.nullable(v.string()), ""),
      ContentID: v.optional(v.nullable(v.string()), ""),
    }))),
    [],
  ),
});

const trigger = (code: number) =>
  v.optional(
    v.object({
      ErrorCode: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
        code,
      ),
      Probability: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100)), 0),
    }),
    { ErrorCode: code, Probability: 0 },
  );
const count = (most: number) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most)), 0);

export const chaosRequest = v.object({
  Sender: trigger(451),
  Recipient: trigger(451),
  Authentication: trigger(535),
});
export const faultsRequest = v.strictObject({
  ...chaosRequest.entries,
  Message: trigger(451),
  DropProbability: count(100),
  LatencyMs: count(600_000),
  BytesPerSecond: count(1e9),
  GreylistSeconds: count(86_400),
  QuotaBytes: count(1e12),
  StartTLS: v.optional(v.picklist(["", "off", "broken"]), ""),
});
export const scenarioRequest = v.pipe(
  v.array(v.strictObject({
    Messages: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e9))),
    Seconds: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(86_400))),
    Faults: v.optional(v.partial(faultsRequest), {}),
  })),
  v.minLength(1),
  v.maxLength(1000),
);

export type SendRequest = v.InferOutput<typeof sendRequest>;

/** The parts of a schema that lead to names. */
interface Named {
  entries?: Record<string, Named>;
  wrapped?: Named;
  item?: Named;
}

/**
 * A value with the names in the schema's spelling. Mailpit takes them in any case; a name that is passed over
 * would be harmful: deleting without `IDs` deletes everything.
 */
export function spelled(schema: unknown, value: unknown): unknown {
  let { entries, wrapped, item } = schema as Named;
  while (wrapped !== undefined) ({ entries, wrapped, item } = wrapped);
  if (Array.isArray(value)) return item === undefined ? value : value.map((x) => spelled(item, x));
  if (entries === undefined || typeof value !== "object" || value === null) return value;
  const names = new Map(Object.keys(entries).map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(value).map(([key, x]) => {
      const name = names.get(key.toLowerCase()) ?? key;
      return [name, spelled(entries[name] ?? {}, x)];
    }),
  );
}
