/**
 * Signs of a message other than words: its route, and how its text is written. They are counted like words,
 * under names that no text can have.
 *
 * @module
 */

/** Most Received fields used, newest first: older ones were written by strangers. */
const maxReceived = 3;
/** Most UTF-16 units of one field. */
const maxField = 600;

/** Words in every such field. */
const always = new Set(["from", "with", "by", "via", "unknown"]);
/** A comment about the encryption: many words that always occur together. */
const encryption = /\([^()]*(?:tls|ssl|cipher|bits)[^()]*\)/g;

/** Approximately the registered part of a host's name: the last two labels. */
const lastLabels = (host: string) => host.split(".").slice(-2).join(".");

/**
 * The route of a message: the domains, protocols and programs named in its newest Received fields, as
 * "rcvd:example.org" and "rcvd:esmtp", the networks of the addresses as "ip:192.0", and the number of hops.
 * Identifier, recipient, encryption and date of a field are left out: they say nothing about the sender.
 */
export function routeSigns(received: readonly string[]): string[] {
  if (received.length === 0) return [];
  const signs = new Set<string>([`hops:${Math.min(received.length, 9)}`]);
  for (const value of received.slice(0, maxReceived)) {
    const text = routeText(value.slice(0, maxField).toLowerCase());
    for (const word of text.split(/[^a-z0-9.\-]+/)) {
      if (word.length > 2 && /^[a-z]/.test(word) && !always.has(word)) {
        signs.add(`rcvd:${lastLabels(word)}`);
      }
    }
    const ip = /\[(\d{1,3}\.\d{1,3})\./.exec(text);
    if (ip) signs.add(`ip:${ip[1]}`);
  }
  return [...signs];
}

function routeText(field: string): string {
  const date = field.lastIndexOf(";");
  const text = (date < 0 ? field : field.slice(0, date)).replace(encryption, " ")
    .replace(encryption, " "); // comments within comments
  return text.replace(/\s(?:id|for)\s+\S+/g, " ");
}

/** A count rounded to a power of two, so that similar counts are the same sign. */
const level = (n: number, most: number) => Math.min(most, Math.round(Math.log2(n + 1)));

/** How a text is written: amounts of money, capitals, exclamation marks, quotes, signatures. Linear. */
export function styleSigns(text: string): string[] {
  const signs: string[] = [];
  if (/[$€£]\s?\d/.test(text)) signs.push("text:money");
  if (/\b1-?8\d\d-\d{3}/.test(text)) signs.push("text:tollfree");
  if (text.includes("%")) signs.push("text:percent");
  if (/^>/m.test(text)) signs.push("text:quote");
  if (/^-- ?$/m.test(text)) signs.push("text:signature");
  let capitals = 0, exclamations = 0, run = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x41 && c <= 0x5a) {
      run++;
      continue;
    }
    const inWord = (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f;
    if (run >= 4 && !inWord) capitals++;
    run = inWord ? Number.NEGATIVE_INFINITY : 0;
    if (c === 0x21) exclamations++;
  }
  if (capitals > 0) signs.push(`text:capitals${level(capitals, 6)}`);
  if (exclamations > 0) signs.push(`text:exclamations${level(exclamations, 5)}`);
  return signs;
}
