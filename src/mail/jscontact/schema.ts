/**
 * Cards of JSContact (RFC 9553): the properties and the form of their values.
 *
 * @module
 */
import * as v from "valibot";

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const pref = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100));
const flags = v.pipe(
  v.unknown(),
  v.check((x) => !Array.isArray(x), "is an array, not an object"),
  v.record(text, v.literal(true)),
);
/** A key of a map (RFC 9553 §1.4.1). */
const key = v.pipe(text, v.regex(/^[A-Za-z0-9_-]{1,255}$/, "is not an id"));
const mapOf = <T extends v.GenericSchema>(value: T) =>
  v.pipe(
    v.unknown(),
    v.check((x) => !Array.isArray(x), "is an array, not an object"),
    v.record(key, value),
  );
const object = <E extends v.ObjectEntries>(entries: E) =>
  v.looseObject({ "@type": v.optional(text), ...entries });
const o = v.optional;

const common = { contexts: o(flags), pref: o(pref), label: o(text) };
const resource = { uri: o(text), mediaType: o(text), kind: o(text), ...common };
const component = object({ kind: text, value: text, phonetic: o(text) });
const structured = {
  components: o(v.array(component)),
  isOrdered: o(v.boolean()),
  defaultSeparator: o(text),
  full: o(text),
};
const address = object({
  ...structured,
  countryCode: o(text),
  coordinates: o(text),
  timeZone: o(text),
  contexts: o(flags),
  pref: o(pref),
});
const date = object({
  year: o(count),
  month: o(count),
  day: o(count),
  calendarScale: o(text),
  utc: o(text),
});

/** Value types of the known properties. */
const properties = {
  "@type": v.literal("Card"),
  version: text,
  created: text,
  kind: text,
  language: text,
  members: flags,
  prodId: text,
  relatedTo: v.pipe(
    v.unknown(),
    v.check((x) => !Array.isArray(x), "is an array, not an object"),
    v.record(text, object({ relation: o(flags) })),
  ),
  uid: v.pipe(text, v.minLength(1), v.maxLength(1000)),
  updated: text,
  name: object({ ...structured, sortAs: o(v.record(text, text)) }),
  nicknames: mapOf(object({ name: text, contexts: o(flags), pref: o(pref) })),
  organizations: mapOf(object({
    name: o(text),
    units: o(v.array(object({ name: text, sortAs: o(text) }))),
    sortAs: o(text),
    contexts: o(flags),
  })),
  speakToAs: object({
    grammaticalGender: o(text),
    pronouns: o(mapOf(object({ pronouns: text, contexts: o(flags), pref: o(pref) }))),
  }),
  titles: mapOf(object({ name: text, kind: o(text), organizationId: o(text) })),
  emails: mapOf(object({ address: text, ...common })),
  onlineServices: mapOf(object({ service: o(text), uri: o(text), user: o(text), ...common })),
  phones: mapOf(object({ number: text, features: o(flags), ...common })),
  preferredLanguages: mapOf(object({ language: text, contexts: o(flags), pref: o(pref) })),
  calendars: mapOf(object({ ...resource, uri: text })),
  schedulingAddresses: mapOf(object({ uri: text, ...common })),
  addresses: mapOf(address),
  cryptoKeys: mapOf(object({ ...resource, uri: text })),
  directories: mapOf(object({ ...resource, uri: text, listAs: o(count) })),
  links: mapOf(object({ ...resource, uri: text })),
  media: mapOf(object({ ...resource, kind: text, blobId: o(text) })),
  localizations: v.record(text, v.record(text, v.unknown())),
  anniversaries: mapOf(object({ kind: text, date, place: o(address), contexts: o(flags) })),
  keywords: flags,
  notes: mapOf(object({
    note: text,
    created: o(text),
    author: o(object({ name: o(text), uri: o(text) })),
  })),
  personalInfo: mapOf(object({
    kind: text,
    value: text,
    level: o(text),
    listAs: o(count),
    label: o(text),
  })),
  vCardProps: v.array(v.array(v.unknown())),
  vCardParams: v.record(text, v.unknown()),
} satisfies Record<string, v.GenericSchema>;

/** Names of the properties of a card. */
export const cardProperties = Object.keys(properties);

/** Properties whose entries have ids. */
export const mapProperties = [
  "nicknames",
  "organizations",
  "titles",
  "emails",
  "onlineServices",
  "phones",
  "preferredLanguages",
  "calendars",
  "schedulingAddresses",
  "addresses",
  "cryptoKeys",
  "directories",
  "links",
  "media",
  "anniversaries",
  "notes",
  "personalInfo",
] as const;

/** Vendor properties have their vendor's domain in the name (RFC 9553 §1.7.1). */
const isVendor = (name: string) => /^[\w.-]{1,200}:[\w.:-]{1,200}$/.test(name);

/** Names of unknown properties and of those with invalid values, with what is wrong. */
export function cardProblems(card: JsonObject): { name: string; problem: string }[] {
  const found: { name: string; problem: string }[] = [];
  for (const [name, value] of Object.entries(card)) {
    if (!Object.hasOwn(properties, name)) {
      if (!isVendor(name)) found.push({ name, problem: "there is no such property" });
      continue;
    }
    const parsed = v.safeParse(properties[name as "uid"] as v.GenericSchema, value, {
      abortEarly: true,
    });
    if (parsed.success) continue;
    const at = v.getDotPath(parsed.issues[0]);
    found.push({ name, problem: `${at === null ? "" : `${at}: `}${parsed.issues[0].message}` });
  }
  for (const id of Object.keys((card.media as JsonObject | undefined) ?? {})) {
    const m = (card.media as Record<string, JsonObject>)[id];
    if (typeof m === "object" && m !== null && m.uri === undefined && m.blobId === undefined) {
      found.push({ name: "media", problem: `${id} has neither uri nor blobId` });
    }
  }
  return found;
}
