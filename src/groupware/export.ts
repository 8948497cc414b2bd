/** A calendar or an address book as one text. @module */
import {
  type Component,
  escapeText,
  newProperty,
  parseComponents,
  valueOf,
  writeComponent,
  writeProperty,
} from "../mail/contentline/component.ts";
import { giveWay } from "../platform/turns.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection } from "../store/groupware/types.ts";

const decoder = new TextDecoder();

/** Zones by name, each once: those from the objects come first. */
async function* calendarText(
  groupware: Groupware,
  collection: Collection,
  name: string,
): AsyncGenerator<string> {
  const head = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//mox//mox for Deno//EN",
    writeProperty(newProperty("X-WR-CALNAME", escapeText(name))),
  ];
  yield `${head.join("\r\n")}\r\n`;
  const zones = new Set<string>();
  for await (const text of texts(groupware, collection)) {
    let list: Component[];
    try {
      list = parseComponents(text)[0].components;
    } catch {
      continue;
    }
    for (const x of list) {
      if (x.name === "VTIMEZONE") {
        const id = valueOf(x, "TZID") ?? "";
        if (zones.has(id)) continue;
        zones.add(id);
      }
      yield writeComponent(x);
    }
  }
  yield "END:VCALENDAR\r\n";
}

/** Texts of all objects of a collection. */
export async function* texts(groupware: Groupware, collection: Collection): AsyncGenerator<string> {
  for (let after = "";;) {
    const rows = groupware.objects(collection.id, after, 200);
    for (const row of rows) {
      await giveWay();
      const content = groupware.content(row.id);
      if (content !== undefined) yield decoder.decode(content);
    }
    if (rows.length < 200) return;
    after = rows.at(-1)!.name;
  }
}

async function* bookText(groupware: Groupware, collection: Collection): AsyncGenerator<string> {
  for await (const text of texts(groupware, collection)) {
    yield text.endsWith("\n") ? text : `${text}\r\n`;
  }
}

/** All objects of a collection: one VCALENDAR, or cards one after the other. */
export function exportCollection(
  groupware: Groupware,
  collection: Collection,
  name: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const it = collection.kind === "addressbook"
    ? bookText(groupware, collection)
    : calendarText(groupware, collection, name);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = "";
      while (text.length < 64 * 1024) {
        const next = await it.next();
        if (next.done) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          return controller.close();
        }
        text += next.value;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await it.return(undefined);
    },
  }, { highWaterMark: 0 });
}
