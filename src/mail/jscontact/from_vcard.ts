/**
 * Converts a vCard to a JSContact card (RFC 9555), and records which lines each part comes from, so that
 * changing one part leaves the lines of all others unchanged.
 *
 * @module
 */
import {
  type Component,
  param,
  type Property,
  splitUnescaped,
  unescapeText,
} from "../contentline/component.ts";
import { addJsprops } from "../jsprops/parts.ts";
import { type JsonObject, mapProperties } from "./schema.ts";
import { addressKinds, dateFrom, nameKinds, phoneFeatures, utcFrom } from "./values.ts";

/** A card, and the lines that each part ("name", "emails/e1") comes from. */
export interface ConvertedCard {
  card: JsonObject;
  origins: Map<string, Property[]>;
}

/** Lines about the whole card: they belong to no part. */
export const wholeLines = new Set(["VERSION"]);

const typesOf = (property: Property): string[] =>
  property.params.filter((x) => x.name === "TYPE").flatMap((x) => x.values)
    .flatMap((x) => x.split(",")).map((x) => x.trim().toLowerCase()).filter((x) => x !== "");

function contextsOf(types: readonly string[]): JsonObject {
  const names: Record<string, string> = {
    home: "private",
    work: "work",
    billing: "billing",
    delivery: "delivery",
  };
  const found = types.filter((t) => Object.hasOwn(names, t)).map((t) => [names[t], true]);
  return found.length === 0 ? {} : { contexts: Object.fromEntries(found) };
}

function prefOf(property: Property, types: readonly string[]): JsonObject {
  const n = Number(param(property, "PREF"));
  if (Number.isInteger(n) && n >= 1 && n <= 100) return { pref: n };
  return types.includes("pref") ? { pref: 1 } : {};
}

const list = (s: string): string[] =>
  splitUnescaped(s, ",").map(unescapeText).map((x) => x.trim()).filter((x) => x !== "");
const plain = (p: Property): string => unescapeText(p.value).trim();

/** The binary value of vCard 3 as a data: URI; others unchanged. */
function uriOf(property: Property, kind: string): string {
  const encoding = param(property, "ENCODING")?.toLowerCase();
  if (encoding !== "b" && encoding !== "base64") return plain(property);
  const type = typesOf(property).find((t) => t !== "pref" && t !== "home" && t !== "work");
  const media = param(property, "MEDIATYPE") ??
    (type === undefined
      ? "application/octet-stream"
      : type.includes("/")
      ? type
      : kind === "key"
      ? type === "pgp" ? "application/pgp-keys" : "application/pkix-cert"
      : `${kind === "sound" ? "audio" : "image"}/${type}`);
  return `data:${media};base64,${property.value.replace(/\s+/g, "")}`;
}

/** Apple's own labels: _$!<Home>!$_. */
const labelText = (p: Property) => plain(p).replace(/^_\$!<(.*)>!\$_$/, "$1");

type Entry = { map: string; prefix: string; value: JsonObject; used?: Property[] };

function resource(
  property: Property,
  kind: string | undefined,
  uri = uriOf(property, kind ?? ""),
): JsonObject {
  const media = param(property, "MEDIATYPE");
  return {
    ...(kind === undefined ? {} : { kind }),
    uri,
    ...(media === undefined ? {} : { mediaType: media }),
  };
}

const components = (parts: readonly string[], kinds: readonly string[]) =>
  parts.slice(0, kinds.length).flatMap((s, i) =>
    list(s).map((value) => ({ "@type": "", kind: kinds[i], value }))
  );

function nameComponents(property: Property): JsonObject[] {
  return components(splitUnescaped(property.value, ";"), nameKinds)
    .map((c) => ({ ...c, "@type": "NameComponent" }));
}

function address(property: Property): JsonObject {
  const found = components(splitUnescaped(property.value, ";"), addressKinds)
    .map((c) => ({ ...c, "@type": "AddressComponent" }));
  const of = (name: string, to: string) => {
    const s = param(property, name);
    return s === undefined ? {} : { [to]: s };
  };
  return {
    "@type": "Address",
    ...(found.length === 0 ? {} : { components: found }),
    ...of("CC", "countryCode"),
    ...of("GEO", "coordinates"),
    ...of("TZ", "timeZone"),
    ...of("LABEL", "full"),
  };
}

function onlineService(property: Property): JsonObject {
  const service = param(property, "SERVICE-TYPE") ?? param(property, "X-SERVICE-TYPE") ??
    (property.name === "X-SOCIALPROFILE" ? typesOf(property).find((t) => t !== "pref") : undefined);
  const user = param(property, "USERNAME") ?? param(property, "X-USER");
  const isText = param(property, "VALUE")?.toLowerCase() === "text";
  return {
    "@type": "OnlineService",
    ...(service === undefined ? {} : { service }),
    ...(isText ? { user: plain(property) } : { uri: plain(property) }),
    ...(user === undefined || isText ? {} : { user }),
    vCardName: property.name.toLowerCase(),
  };
}

function anniversary(property: Property, component: Component): Entry | undefined {
  const kind = { BDAY: "birth", DEATHDATE: "death" }[property.name] ?? "wedding";
  const date = param(property, "VALUE")?.toLowerCase() === "text"
    ? undefined
    : dateFrom(plain(property));
  if (date === undefined) return undefined;
  // Apple has no birthdays without a year and uses this year instead.
  const omitted = param(property, "X-APPLE-OMIT-YEAR");
  if (omitted !== undefined && Number(omitted) === date.year) delete date.year;
  const placeName = { birth: "BIRTHPLACE", death: "DEATHPLACE" }[kind];
  const place = placeName === undefined
    ? undefined
    : component.properties.find((x) => x.name === placeName);
  const value = place && plain(place);
  return {
    map: "anniversaries",
    prefix: "k",
    value: {
      "@type": "Anniversary",
      kind,
      date,
      ...(value === undefined
        ? {}
        : { place: value.startsWith("geo:") ? { coordinates: value } : { full: value } }),
    },
    used: place && [place],
  };
}

/** The part that a line makes, of those whose entries have ids. */
function entryOf(property: Property, component: Component): Entry | undefined {
  const types = typesOf(property);
  const about = { ...contextsOf(types), ...prefOf(property, types) };
  const entry = (map: string, prefix: string, type: string, value: JsonObject): Entry => ({
    map,
    prefix,
    value: { "@type": type, ...value, ...about },
  });
  switch (property.name) {
    case "ORG": {
      const [name, ...units] = splitUnescaped(property.value, ";").map((s) =>
        unescapeText(s).trim()
      );
      const sorts = param(property, "SORT-AS");
      const named = units.filter((u) => u !== "").map((u) => ({ "@type": "OrgUnit", name: u }));
      return entry("organizations", "o", "Organization", {
        ...(name === "" ? {} : { name }),
        ...(named.length === 0 ? {} : { units: named }),
        ...(sorts === undefined ? {} : { sortAs: sorts }),
      });
    }
    case "TITLE":
    case "ROLE":
      return entry("titles", "t", "Title", {
        name: plain(property),
        kind: property.name === "TITLE" ? "title" : "role",
      });
    case "EMAIL":
      return entry("emails", "e", "EmailAddress", { address: plain(property) });
    case "TEL": {
      const features = types.filter((t) => Object.hasOwn(phoneFeatures, t))
        .map((t) => [phoneFeatures[t], true]);
      return entry("phones", "p", "Phone", {
        number: plain(property),
        ...(features.length === 0 ? {} : { features: Object.fromEntries(features) }),
      });
    }
    case "IMPP":
    case "SOCIALPROFILE":
    case "X-SOCIALPROFILE":
      return entry("onlineServices", "s", "OnlineService", onlineService(property));
    case "LANG":
      return entry("preferredLanguages", "l", "LanguagePref", { language: plain(property) });
    case "CALURI":
      return entry("calendars", "c", "Calendar", resource(property, "calendar"));
    case "FBURL":
      return entry("calendars", "c", "Calendar", resource(property, "freeBusy"));
    case "CALADRURI":
      return entry("schedulingAddresses", "a", "SchedulingAddress", { uri: plain(property) });
    case "ADR":
      return entry("addresses", "a", "Address", address(property));
    case "KEY":
      return entry(
        "cryptoKeys",
        "k",
        "CryptoKey",
        resource(property, undefined, uriOf(property, "key")),
      );
    case "ORG-DIRECTORY":
      return entry("directories", "d", "Directory", resource(property, "directory"));
    case "SOURCE":
      return entry("directories", "d", "Directory", resource(property, "entry"));
    case "URL":
      return entry("links", "l", "Link", resource(property, undefined));
    case "CONTACT-URI":
      return entry("links", "l", "Link", resource(property, "contact"));
    case "PHOTO":
    case "LOGO":
    case "SOUND":
      return entry("media", "m", "Media", resource(property, property.name.toLowerCase()));
    case "BDAY":
    case "DEATHDATE":
    case "ANNIVERSARY":
      return anniversary(property, component);
    case "NOTE": {
      const created = utcFrom(param(property, "CREATED") ?? "");
      const [name, uri] = [param(property, "AUTHOR-NAME"), param(property, "AUTHOR")];
      const author = {
        ...(name === undefined ? {} : { name }),
        ...(uri === undefined ? {} : { uri }),
      };
      return {
        map: "notes",
        prefix: "n",
        value: {
          "@type": "Note",
          note: unescapeText(property.value),
          ...(created === undefined ? {} : { created }),
          ...(name ?? uri) === undefined ? {} : { author: { "@type": "Author", ...author } },
        },
      };
    }
    case "EXPERTISE":
    case "HOBBY":
    case "INTEREST": {
      const level = param(property, "LEVEL")?.toLowerCase();
      const levels: Record<string, string> = { beginner: "low", average: "medium", expert: "high" };
      return {
        map: "personalInfo",
        prefix: "i",
        value: {
          "@type": "PersonalInfo",
          kind: property.name.toLowerCase(),
          value: plain(property),
          ...(level === undefined ? {} : { level: levels[level] ?? level }),
        },
      };
    }
    default:
      return undefined;
  }
}

/** Converts a card. Never fails: unknown content is in vCardProps. */
export function cardFromVcard(component: Component): ConvertedCard {
  const card: JsonObject = { "@type": "Card", version: "1.0" };
  const origins = new Map<string, Property[]>();
  const came = (key: string, ...lines: Property[]) =>
    origins.set(key, [...origins.get(key) ?? [], ...lines]);
  const labels = new Map<string, Property>();
  const used = new Set<Property>();
  for (const p of component.properties) {
    if (p.name === "X-ABLABEL" && p.group !== "") labels.set(p.group.toLowerCase(), p);
  }
  // Ids of entries in JSPROP lines: additions by other programs don't get them.
  const reserved = new Set(
    component.properties.filter((p) => p.name === "JSPROP")
      .map((p) => (param(p, "JSPTR") ?? "").split("/").slice(0, 2).join("/")),
  );
  const jsprops: Property[] = [];
  const rest: Property[] = [];
  const name: JsonObject = { "@type": "Name" };
  const counts = new Map<string, number>();

  const addEntry = (property: Property, { map, prefix, value, used: more = [] }: Entry) => {
    const all = (card[map] ??= {}) as JsonObject;
    const given = param(property, "PROP-ID");
    let id = given !== undefined && /^[\w-]{1,255}$/.test(given) && !Object.hasOwn(all, given)
      ? given
      : "";
    while (id === "" || Object.hasOwn(all, id) || given !== id && reserved.has(`${map}/${id}`)) {
      const n = (counts.get(map) ?? 0) + 1;
      counts.set(map, n);
      id = `${prefix}${n}`;
    }
    const label = property.group === "" ? undefined : labels.get(property.group.toLowerCase());
    if (label !== undefined && map !== "notes") {
      value.label = labelText(label);
      used.add(label);
    }
    all[id] = value;
    for (const x of more) used.add(x);
    came(`${map}/${id}`, property, ...(label && map !== "notes" ? [label] : []), ...more);
  };

  for (const p of component.properties) {
    if (wholeLines.has(p.name) || p.name === "X-ABLABEL" && p.group !== "") continue;
    switch (p.name) {
      case "UID":
        card.uid = p.value.trim();
        came("uid", p);
        continue;
      case "FN":
        if (param(p, "DERIVED")?.toLowerCase() === "true") came("name", p);
        else if (name.full === undefined) {
          name.full = plain(p);
          came("name", p);
        } else rest.push(p);
        continue;
      case "N": {
        const parts = nameComponents(p);
        if (name.components === undefined && parts.length > 0) {
          name.components = parts;
          const sorts = param(p, "SORT-AS")?.split(",");
          if (sorts) {
            name.sortAs = Object.fromEntries(
              sorts.slice(0, 2).map((s, i) => [nameKinds[i], s]).filter(([, s]) => s !== ""),
            );
          }
        }
        came("name", p);
        continue;
      }
      case "NICKNAME":
        for (const nick of list(p.value)) {
          const types = typesOf(p);
          const value = { "@type": "Nickname", name: nick, ...contextsOf(types) };
          addEntry(p, { map: "nicknames", prefix: "n", value });
        }
        continue;
      case "CATEGORIES":
        card.keywords = {
          ...card.keywords as JsonObject,
          ...Object.fromEntries(list(p.value).map((k) => [k, true])),
        };
        came("keywords", p);
        continue;
      case "KIND":
      case "X-ADDRESSBOOKSERVER-KIND":
        card.kind = plain(p).toLowerCase();
        came("kind", p);
        continue;
      case "MEMBER":
      case "X-ADDRESSBOOKSERVER-MEMBER":
        card.members = { ...card.members as JsonObject, [plain(p)]: true };
        came("members", p);
        continue;
      case "RELATED": {
        const relations = Object.fromEntries(typesOf(p).map((t) => [t, true]));
        card.relatedTo = {
          ...card.relatedTo as JsonObject,
          [plain(p)]: { "@type": "Relation", relation: relations },
        };
        came("relatedTo", p);
        continue;
      }
      case "REV":
      case "CREATED": {
        const at = utcFrom(plain(p));
        const key = p.name === "REV" ? "updated" : "created";
        if (at !== undefined) card[key] = at;
        came(key, p);
        continue;
      }
      case "PRODID":
        card.prodId = plain(p);
        came("prodId", p);
        continue;
      case "LANGUAGE":
        card.language = plain(p);
        came("language", p);
        continue;
      case "GRAMGENDER":
        card.speakToAs = {
          "@type": "SpeakToAs",
          ...card.speakToAs as JsonObject,
          grammaticalGender: plain(p).toLowerCase(),
        };
        came("speakToAs", p);
        continue;
      case "PRONOUNS": {
        const s = { "@type": "SpeakToAs", ...card.speakToAs as JsonObject } as JsonObject;
        const before = (s.pronouns ?? {}) as JsonObject;
        const id = param(p, "PROP-ID") ?? `k${Object.keys(before).length + 1}`;
        s.pronouns = { ...before, [id]: { "@type": "Pronouns", pronouns: plain(p) } };
        card.speakToAs = s;
        came("speakToAs", p);
        continue;
      }
      case "JSPROP":
        jsprops.push(p);
        continue;
    }
    const entry = entryOf(p, component);
    if (entry === undefined) rest.push(p);
    else addEntry(p, entry);
  }
  if (name.full !== undefined || name.components !== undefined) card.name = name;
  const others = [
    ...rest,
    ...component.properties.filter((p) => p.name === "X-ABLABEL" && p.group !== ""),
  ].filter((p) => !used.has(p));
  if (others.length > 0) {
    card.vCardProps = others.map(jcardOf);
    came("vCardProps", ...others);
  }
  addJsprops(jsprops, card, origins, mapProperties);
  return { card, origins };
}

/** A line in the form of jCard (RFC 7095 §3.3). */
function jcardOf(property: Property): unknown[] {
  const params: JsonObject = {};
  if (property.group !== "") params.group = property.group;
  for (const { name, values } of property.params) {
    if (name === "VALUE") continue;
    params[name.toLowerCase()] = values.length === 1 ? values[0] : values;
  }
  return [
    property.name.toLowerCase(),
    params,
    (param(property, "VALUE") ?? "unknown").toLowerCase(),
    property.value,
  ];
}
