/** Labelled mail for measuring the junk filter: folders named like the npm package of the SpamAssassin corpus. */
import { join } from "node:path";
import { messageText } from "../../../src/delivery/message_text.ts";
import { defaultJunkParams, messageWords } from "../../../src/junk/mod.ts";
import { parseZonedDate } from "../../../src/mail/header/date.ts";
import { headerField, splitHeader } from "../../../src/mail/header/header.ts";
import { parseMessage } from "../../../src/mail/structure/structure.ts";

/** A message with its label. */
export interface Labelled {
  ham: boolean;
  /** When it was received last, milliseconds since the epoch; 0 if it doesn't say. */
  received: number;
  words: string[];
  /** As it is, for other filters. */
  bytes: Uint8Array;
}

function receivedOf(header: Uint8Array): number {
  const fields = splitHeader(header);
  for (const { value } of fields.filter((f) => f.name === "received")) {
    const date = parseZonedDate(value.slice(value.lastIndexOf(";") + 1));
    if (date) return date.date.getTime();
  }
  return parseZonedDate(headerField(fields, "date") ?? "")?.date.getTime() ?? 0;
}

/**
 * Reads all messages below a folder; those in folders with "ham" in their name are good mail. Doubles are left out by
 * their body, or by all of them if doubles are wanted: then spam that was sent twice is there twice, as it is in life.
 */
export function readCorpus(
  dir: string,
  doubles = false,
): { messages: Labelled[]; msPerMessage: number } {
  const messages: Labelled[] = [];
  const seen = new Set<string>();
  let ms = 0;
  for (const folder of [...Deno.readDirSync(dir)].filter((e) => e.isDirectory)) {
    const names = [...Deno.readDirSync(join(dir, folder.name))].map((e) => e.name).sort();
    for (const name of names.filter((n) => n.endsWith(".txt") || n.endsWith(".eml"))) {
      let text = Deno.readTextFileSync(join(dir, folder.name, name));
      // A packed file has the text in JSON.
      if (text.startsWith("{")) text = JSON.parse(text).text;
      if (text.startsWith("From ")) text = text.slice(text.indexOf("\n") + 1);
      const bytes = new TextEncoder().encode(text.replace(/\r?\n/g, "\r\n"));
      const { root } = parseMessage(bytes);
      const body = doubles ? text : text.slice(text.search(/\r?\n\r?\n/));
      if (seen.has(body)) continue;
      seen.add(body);
      const start = performance.now();
      const words = messageWords(
        messageText(root, (a, b) => bytes.subarray(a, b)),
        defaultJunkParams,
      );
      ms += performance.now() - start;
      messages.push({
        ham: folder.name.includes("ham"),
        received: receivedOf(root.header ?? new Uint8Array()),
        words: [...words],
        bytes,
      });
    }
  }
  return { messages, msPerMessage: ms / Math.max(1, messages.length) };
}

/** Numbers that are the same in each run. */
function numbers(seed: number): () => number {
  return () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const next = numbers(seed);
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

/** What to train on, and what to judge then. */
export interface Split {
  train: Labelled[];
  judge: Labelled[];
}

/** The splits that are measured; those drawn by lot ten times, as a single odd message moves the figures by points. */
export function splits(messages: readonly Labelled[]): [name: string, list: Split[]][] {
  const at = (list: readonly Labelled[], n: number): Split => ({
    train: list.slice(0, n),
    judge: list.slice(n),
  });
  const drawn = (n: number) =>
    Array.from({ length: 10 }, (_, i) => i + 1).map((seed) => at(shuffled(messages, seed), n));
  const inTime = [...messages].sort((a, b) => a.received - b.received);
  return [
    ["random half", drawn(messages.length >> 1)],
    ["first half in time", [at(inTime, messages.length >> 1)]],
    ["first two thirds in time", [at(inTime, Math.floor(messages.length * 2 / 3))]],
    ["100 trained", drawn(100)],
    ["500 trained", drawn(500)],
  ];
}
