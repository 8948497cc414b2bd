/**
 * Importing other programs' files: a text with many events or people becomes objects of one collection, each by
 * its UID. Existing ones are replaced; unreadable ones are reported and left out.
 *
 * @module
 */
import { createHash, randomUUID } from "node:crypto";
import { CardError } from "../mail/vcard/card.ts";
import { ObjectError } from "../mail/calendar/object.ts";
import {
  type Component,
  newProperty,
  parseFile,
  property,
  valueOf,
  writeComponent,
} from "../mail/contentline/component.ts";
import { giveWay } from "../platform/turns.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection, NewObject } from "../store/groupware/types.ts";
import { calendarObject, cardObject, maxObjectSize } from "./objects.ts";

/** Objects written in one transaction. */
const atOnce = 100;
/** Most mistakes reported one by one. */
const maxListed = 50;

/** The result of an import. */
export interface ImportResult {
  imported: number;
  /** What was left out, and why. */
  left: string[];
  /** How many were left out, including unreported ones. */
  leftOut: number;
}

/** A name for an object, from its UID, so that the same one is found again. */
function nameFor(uid: string, extension: string): string {
  return /^[\w.@-]{1,100}$/.test(uid)
    ? `${uid}.${extension}`
    : `${createHash("sha256").update(uid).digest("hex").slice(0, 32)}.${extension}`;
}

/** Zones named by components. */
function zoneNames(list: readonly Component[]): Set<string> {
  const names = new Set<string>();
  for (const c of list) {
    for (const p of c.properties) {
      for (const x of p.params) if (x.name === "TZID" && x.values[0]) names.add(x.values[0]);
    }
  }
  return names;
}

/** The objects of a calendar's text: components with the same UID together, with their zones. */
function* calendars(roots: readonly Component[]): Generator<{ uid: string; text: string }> {
  const zones = new Map<string, Component>();
  const byUid = new Map<string, Component[]>();
  for (const root of roots) {
    if (root.name !== "VCALENDAR") continue;
    for (const c of root.components) {
      if (c.name === "VTIMEZONE") {
        zones.set(valueOf(c, "TZID") ?? "", c);
        continue;
      }
      let uid = valueOf(c, "UID")?.trim() ?? "";
      let part = c;
      if (uid === "") {
        uid = randomUUID();
        part = { ...c, properties: [newProperty("UID", uid), ...c.properties] };
      }
      const key = `${c.name} ${uid}`;
      byUid.set(key, [...byUid.get(key) ?? [], part]);
    }
  }
  for (const [key, parts] of byUid) {
    const used = [...zoneNames(parts)].flatMap((n) => zones.get(n) ?? []);
    const calendar: Component = {
      name: "VCALENDAR",
      properties: [
        newProperty("VERSION", "2.0"),
        newProperty("PRODID", "-//mox//mox for Deno//EN"),
      ],
      components: [...used, ...parts],
    };
    yield { uid: key.slice(key.indexOf(" ") + 1), text: writeComponent(calendar) };
  }
}

/** The cards of a text. Those of old versions become version 3. */
function* cards(roots: readonly Component[]): Generator<{ uid: string; text: string }> {
  for (const c of roots) {
    if (c.name !== "VCARD") continue;
    const version = valueOf(c, "VERSION")?.trim();
    let { properties } = c;
    if (version !== "3.0" && version !== "4.0") {
      properties = [
        newProperty("VERSION", "3.0"),
        ...properties.filter((p) => p.name !== "VERSION"),
      ];
    }
    let uid = valueOf(c, "UID")?.trim() ?? "";
    if (uid === "") {
      uid = randomUUID();
      properties = [...properties, newProperty("UID", uid)];
    }
    if (property(c, "FN") === undefined) {
      const name = (valueOf(c, "N") ?? "").split(";").slice(0, 2).reverse().join(" ").trim();
      const shown = name || valueOf(c, "ORG") || valueOf(c, "EMAIL") || "?";
      properties = [...properties, newProperty("FN", shown)];
    }
    yield { uid, text: writeComponent({ ...c, properties }) };
  }
}

/**
 * Stores all objects of a text in a collection; on disk when it resolves.
 * @throws FormatError if the text as a whole can't be read: then nothing is imported
 */
export async function importText(
  groupware: Groupware,
  collection: Collection,
  text: string,
): Promise<ImportResult> {
  const result: ImportResult = { imported: 0, left: [], leftOut: 0 };
  const book = collection.kind === "addressbook";
  const roots = await parseFile(text);
  const encoder = new TextEncoder();
  const group = new Map<string, NewObject>();
  const leave = (uid: string, why: string) => {
    result.leftOut++;
    if (result.left.length < maxListed) result.left.push(`${uid.slice(0, 100)}: ${why}`);
  };
  const flush = async () => {
    const list = [...group.values()];
    group.clear();
    if (list.length > 0) await groupware.putAll(collection.id, list);
    result.imported += list.length;
  };
  for (const { uid, text } of book ? cards(roots) : calendars(roots)) {
    await giveWay();
    const content = encoder.encode(text);
    if (content.length > maxObjectSize) {
      leave(uid, `larger than ${maxObjectSize} bytes`);
      continue;
    }
    try {
      // If the uid exists under another name, that name stays.
      const known = groupware.objectByUid(collection.id, uid)?.name;
      const name = known ?? nameFor(uid, book ? "vcf" : "ics");
      const object = book ? cardObject(name, content) : calendarObject(name, content);
      if (
        !book && collection.components.length > 0 &&
        !collection.components.includes(object.index.component)
      ) {
        leave(uid, `this calendar takes ${collection.components.join(", ")} only`);
        continue;
      }
      // Of duplicates in one file, the last one is used.
      group.set(uid, object);
    } catch (err) {
      if (!(err instanceof ObjectError || err instanceof CardError)) throw err;
      leave(uid, err.message);
    }
    if (group.size >= atOnce) await flush();
  }
  await flush();
  return result;
}
