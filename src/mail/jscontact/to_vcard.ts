/**
 * Converts a JSContact card to a vCard (RFC 9555). For an existing card, the lines of all unchanged parts stay
 * byte for byte; what a vCard can't express is stored in JSPROP lines, so nothing that a client sets is lost.
 *
 * @module
 */
import { type Component, escapeText, type Property } from "../contentline/component.ts";
import { jspropLines, line, mergedLines, type Params, partsOf } from "../jsprops/parts.ts";
import { cardFromVcard, type ConvertedCard, wholeLines } from "./from_vcard.ts";
import { type JsonObject, mapProperties } from "./schema.ts";
import { addressKinds, dateTo, nameKinds, phoneFeatures } from "./values.ts";

const str = (x: unknown): string | undefined => typeof x === "string" ? x : undefined;
const obj = (x: unknown): JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x) ? x as JsonObject : {};
const arr = (x: unknown): unknown[] => Array.isArray(x) ? x : [];

/** Context for writing one part. */
interface Writing {
  /** vCard 3 (RFC 2426), which writes binary values and preferences differently. */
  old: boolean;
  /** Returns a group that no line has yet. */
  group(): string;
}

function typesOf(object: JsonObject, more: readonly string[] = []): string[] {
  const names: Record<string, string> = {
    private: "home",
    work: "work",
    billing: "billing",
    delivery: "delivery",
  };
  const contexts = Object.keys(obj(object.contexts)).filter((k) => Object.hasOwn(names, k));
  return [...contexts.map((k) => names[k]), ...more];
}

/** TYPE, PREF and PROP-ID of an entry. */
function about(
  writing: Writing,
  id: string,
  object: JsonObject,
  more: readonly string[] = [],
): Params {
  const types = typesOf(object, more);
  const pref = typeof object.pref === "number" ? object.pref : undefined;
  if (writing.old && pref === 1) types.push("pref");
  return {
    "TYPE": writing.old ? types.map((t) => t.toUpperCase()) : types,
    "PREF": pref === undefined || writing.old && pref === 1 ? undefined : String(pref),
    "PROP-ID": id,
  };
}

/** A line with its label. */
function labelled(
  writing: Writing,
  object: JsonObject,
  make: (group: string) => Property,
): Property[] {
  const label = str(object.label);
  if (label === undefined) return [make("")];
  const group = writing.group();
  return [make(group), line("X-ABLabel", escapeText(label), {}, group)];
}

/** Parts of N or ADR: the values of each kind, in the order of the property. */
function structured(object: JsonObject, kinds: readonly string[]): string {
  const parts = kinds.map((k) =>
    arr(object.components).map(obj).filter((c) => c.kind === k).map((c) =>
      escapeText(str(c.value) ?? "")
    )
      .join(",")
  );
  return parts.join(";").replace(/;+$/, (m) => kinds === nameKinds ? m.slice(2) : m);
}

function binary(writing: Writing, name: string, uri: string, params: Params): Property {
  const data = /^data:([^;,]*)(?:;[^,]*)?;base64,/i.exec(uri.slice(0, 300));
  if (writing.old && data) {
    const type = data[1].split("/").at(-1)!.toUpperCase();
    const types = [params.TYPE ?? []].flat();
    return line(name, uri.slice(data[0].length), {
      ...params,
      ENCODING: "b",
      TYPE: [...types, type],
    });
  }
  // A URI has no escapes: characters that a text would escape stay.
  return line(name, uri, { ...params, VALUE: writing.old ? "uri" : undefined });
}

function resource(writing: Writing, name: string, id: string, object: JsonObject): Property[] {
  const uri = str(object.uri);
  if (uri === undefined) return [];
  const params = { ...about(writing, id, object), MEDIATYPE: str(object.mediaType) };
  return labelled(writing, object, (group) => ({ ...binary(writing, name, uri, params), group }));
}

/** Lines of one entry of a map. */
function entryLines(writing: Writing, map: string, id: string, object: JsonObject): Property[] {
  const text = (name: string, value: unknown, params: Params = {}, types: string[] = []) =>
    labelled(
      writing,
      object,
      (g) =>
        line(name, escapeText(str(value) ?? ""), {
          ...about(writing, id, object, types),
          ...params,
        }, g),
    );
  const uri = (name: string, value: unknown, params: Params = {}) =>
    labelled(
      writing,
      object,
      (g) => line(name, str(value) ?? "", { ...about(writing, id, object), ...params }, g),
    );
  switch (map) {
    case "nicknames":
      return text("NICKNAME", object.name);
    case "organizations": {
      const parts = [
        str(object.name) ?? "",
        ...arr(object.units).map((u) => str(obj(u).name) ?? ""),
      ];
      return labelled(
        writing,
        object,
        (g) =>
          line("ORG", parts.map(escapeText).join(";"), {
            ...about(writing, id, object),
            "SORT-AS": str(object.sortAs),
          }, g),
      );
    }
    case "titles":
      return text(object.kind === "role" ? "ROLE" : "TITLE", object.name);
    case "emails":
      return text("EMAIL", object.address);
    case "phones": {
      const names = Object.entries(phoneFeatures);
      const types = Object.keys(obj(object.features)).flatMap((f) =>
        names.find(([, to]) => to === f)?.[0] ?? []
      );
      return text("TEL", object.number, {}, types);
    }
    case "onlineServices": {
      const name = str(object.vCardName)?.toUpperCase();
      const known = name === "IMPP" || name === "X-SOCIALPROFILE" ? name : "SOCIALPROFILE";
      if (str(object.uri) === undefined) {
        return text(known, object.user, { VALUE: "text", "SERVICE-TYPE": str(object.service) });
      }
      return uri(known, object.uri, {
        "SERVICE-TYPE": str(object.service),
        "USERNAME": str(object.user),
      });
    }
    case "preferredLanguages":
      return text("LANG", object.language);
    case "calendars":
      return resource(writing, object.kind === "freeBusy" ? "FBURL" : "CALURI", id, object);
    case "schedulingAddresses":
      return uri("CALADRURI", object.uri);
    case "addresses":
      return labelled(
        writing,
        object,
        (g) =>
          line("ADR", structured(object, addressKinds), {
            ...about(writing, id, object),
            CC: str(object.countryCode),
            GEO: str(object.coordinates),
            TZ: str(object.timeZone),
            LABEL: str(object.full),
          }, g),
      );
    case "cryptoKeys":
      return resource(writing, "KEY", id, object);
    case "directories":
      return resource(writing, object.kind === "entry" ? "SOURCE" : "ORG-DIRECTORY", id, object);
    case "links":
      return resource(writing, object.kind === "contact" ? "CONTACT-URI" : "URL", id, object);
    case "media":
      return resource(
        writing,
        { logo: "LOGO", sound: "SOUND" }[object.kind as "logo"] ?? "PHOTO",
        id,
        object,
      );
    case "anniversaries": {
      const date = dateTo(obj(object.date));
      if (date === undefined) return [];
      const name = { birth: "BDAY", death: "DEATHDATE" }[object.kind as "birth"] ?? "ANNIVERSARY";
      const lines = [line(name, date, { "PROP-ID": id })];
      const place = obj(object.place);
      const at = str(place.coordinates) ?? str(place.full);
      if (at !== undefined && name !== "ANNIVERSARY") {
        const where = name === "BDAY" ? "BIRTHPLACE" : "DEATHPLACE";
        lines.push(
          place.coordinates === undefined
            ? line(where, escapeText(at))
            : line(where, at, { VALUE: "uri" }),
        );
      }
      return lines;
    }
    case "notes": {
      const author = obj(object.author);
      return [line("NOTE", escapeText(str(object.note) ?? ""), {
        "PROP-ID": id,
        "CREATED": str(object.created)?.replace(/[-:]/g, ""),
        "AUTHOR": str(author.uri),
        "AUTHOR-NAME": str(author.name),
      })];
    }
    case "personalInfo": {
      const levels: Record<string, string> = object.kind === "expertise"
        ? { low: "beginner", medium: "average", high: "expert" }
        : {};
      const level = str(object.level);
      const name = ["expertise", "hobby", "interest"].includes(object.kind as string)
        ? (object.kind as string).toUpperCase()
        : undefined;
      if (name === undefined) return [];
      return text(name, object.value, {
        LEVEL: level === undefined ? undefined : levels[level] ?? level,
      });
    }
    default:
      return [];
  }
}

function nameLines(object: JsonObject): Property[] {
  const full = str(object.full) ??
    arr(object.components).map(obj).map((c) => str(c.value) ?? "").filter((s) => s !== "").join(
      str(object.defaultSeparator) ?? " ",
    );
  const lines = [
    line("FN", escapeText(full), str(object.full) === undefined ? { DERIVED: "true" } : {}),
  ];
  if (Array.isArray(object.components)) {
    const sorts = obj(object.sortAs);
    const sort = [str(sorts.surname) ?? "", str(sorts.given) ?? ""].join(",").replace(/,$/, "");
    lines.push(
      line("N", structured(object, nameKinds), { "SORT-AS": sort === "" ? undefined : sort }),
    );
  }
  return lines;
}

/** Lines of one part without entries with ids. */
function partLines(writing: Writing, key: string, value: unknown): Property[] {
  const names: Record<string, string> = {
    uid: "UID",
    kind: "KIND",
    language: "LANGUAGE",
    prodId: "PRODID",
  };
  if (Object.hasOwn(names, key)) {
    const s = str(value) ?? "";
    if (key === "kind" && writing.old && s === "group") {
      return [line("X-ADDRESSBOOKSERVER-KIND", "group")];
    }
    return [line(names[key], key === "uid" ? s : escapeText(s))];
  }
  switch (key) {
    case "created":
    case "updated": {
      const at = dateTo({ utc: value });
      return at === undefined ? [] : [line(key === "created" ? "CREATED" : "REV", at)];
    }
    case "members":
      return Object.keys(obj(value)).map((m) =>
        line(writing.old ? "X-ADDRESSBOOKSERVER-MEMBER" : "MEMBER", m)
      );
    case "keywords": {
      const words = Object.keys(obj(value));
      return words.length === 0 ? [] : [line("CATEGORIES", words.map(escapeText).join(","))];
    }
    case "relatedTo":
      return Object.entries(obj(value)).map(([to, r]) =>
        line("RELATED", /^[a-z][a-z0-9+.-]*:/i.test(to) ? to : escapeText(to), {
          TYPE: Object.keys(obj(obj(r).relation)),
          VALUE: /^[a-z][a-z0-9+.-]*:/i.test(to) ? undefined : "text",
        })
      );
    case "speakToAs": {
      const v = obj(value);
      const gender = str(v.grammaticalGender);
      return [
        ...gender === undefined ? [] : [line("GRAMGENDER", gender.toUpperCase())],
        ...Object.entries(obj(v.pronouns)).map(([id, p]) =>
          line("PRONOUNS", escapeText(str(obj(p).pronouns) ?? ""), { "PROP-ID": id })
        ),
      ];
    }
    case "vCardProps":
      return arr(value).flatMap((x) => {
        const [name, params, type, v] = arr(x);
        if (typeof name !== "string" || !/^[\w-]{1,100}$/.test(name) || typeof v !== "string") {
          return [];
        }
        const { group, ...more } = obj(params);
        const list: Params = {};
        for (const [k, p] of Object.entries(more)) {
          if (/^[\w-]{1,100}$/.test(k)) list[k.toUpperCase()] = [p].flat().map(String);
        }
        if (typeof type === "string" && type !== "unknown" && type !== "text") list.VALUE = type;
        const named = typeof group === "string" && /^[\w-]{1,100}$/.test(group) ? group : "";
        return [line(name.toUpperCase(), v.replace(/[\r\n]+/g, " "), list, named)];
      });
    default:
      return [];
  }
}

/** The value of a part in a card. */
function partIn(card: JsonObject, key: string): unknown {
  const [map, id] = key.split("/");
  return id === undefined ? card[key] : obj(card[map])[id];
}

function linesOf(writing: Writing, key: string, value: unknown): Property[] {
  const [map, id] = key.split("/");
  const lines = id !== undefined
    ? entryLines(writing, map, id, obj(value))
    : key === "name"
    ? nameLines(obj(value))
    : partLines(writing, key, value);
  const said = lines.length === 0 ? undefined : partIn(
    cardFromVcard({
      name: "VCARD",
      properties: lines.map((p) => ({ ...p, name: p.name.toUpperCase() })),
      components: [],
    }).card,
    key,
  );
  return [...lines, ...jspropLines(key, value, said)];
}

/** Properties that say nothing about the person. */
const notParts = new Set(["@type", "version"]);

/**
 * The vCard of a card.
 * @param before the existing vCard, to keep the lines of unchanged parts
 */
export function vcardOf(
  card: JsonObject,
  before?: { component: Component; converted: ConvertedCard },
): Component {
  const lines = before?.component.properties ?? [];
  const version = lines.find((p) => p.name === "VERSION")?.value.trim() ?? "4.0";
  const groups = new Set(lines.map((p) => p.group.toLowerCase()));
  let n = 0;
  const w: Writing = {
    old: version === "3.0",
    group() {
      while (groups.has(`item${++n}`));
      return `item${n}`;
    },
  };
  const properties = mergedLines(
    partsOf(card, mapProperties, notParts),
    before === undefined ? undefined : {
      lines,
      origins: before.converted.origins,
      parts: partsOf(before.converted.card, mapProperties, notParts),
    },
    (key, value) => linesOf(w, key, value),
  );
  if (!lines.some((p) => wholeLines.has(p.name))) properties.unshift(line("VERSION", version));
  if (!properties.some((p) => p.name === "FN")) {
    properties.push(line("FN", shownName(card), { DERIVED: "true" }));
  }
  return { name: "VCARD", properties, components: before?.component.components ?? [] };
}

/** A name for a card without one: FN is mandatory (RFC 6350 §6.2.1). */
function shownName(card: JsonObject): string {
  const first = (map: string, name: string) =>
    Object.values(obj(card[map])).map((x) => str(obj(x)[name])).find((s) => s !== undefined);
  return escapeText(
    first("nicknames", "name") ?? first("organizations", "name") ?? first("emails", "address") ??
      first("phones", "number") ?? "",
  );
}
