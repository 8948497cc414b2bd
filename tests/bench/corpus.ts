/** Messages for measurements: of 3 KB, in threads of ten, with words that few, some or many of them have. @module */
import { ImapLoad } from "./imap.ts";
import type { Peer } from "./peers/types.ts";

/** Words of no language, the same each time: one in twenty is rare. */
let seed = 1;
const random = (n: number) => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % n;
};
const words = Array.from({ length: 5000 }, () => {
  const syllable = () => "bcdfglmnprstv"[random(13)] + "aeiou"[random(5)];
  return Array.from({ length: 1 + random(4) }, syllable).join("");
});
const sentence = (n: number) =>
  Array.from({ length: n }, () => words[Math.floor(words.length * (random(1000) / 1000) ** 3)])
    .join(" ");

/** Threads of ten, ten at a time; a hundredth, a tenth and half of the messages have a word of their own. */
function text(n: number): string {
  const thread = Math.floor(n / 100) * 10 + n % 10;
  const place = Math.floor(n / 10) % 10;
  const id = (k: number) => `<${thread}.${k}.0123456789@mail.example.org>`;
  const references = Array.from({ length: place }, (_, k) => id(k)).join("\r\n ");
  const date = new Date(1.7e12 + n * 600_000).toUTCString().replace("GMT", "+0000");
  let body = "";
  while (body.length < 2200) body += `${sentence(10)}\r\n`;
  return `From: Person ${n % 997} <p${n % 997}@example.org>\r\nTo: Me <me@example.test>\r\n` +
    `Subject: ${place > 0 ? "Re: " : ""}about ${sentence(3)} ${thread}\r\nMessage-ID: ${
      id(place)
    }\r\n` +
    (place > 0 ? `In-Reply-To: ${id(place - 1)}\r\nReferences: ${references}\r\n` : "") +
    `Date: ${date}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}` +
    (n % 100 === 7 ? "hundredth\r\n" : "") + (n % 10 === 3 ? "tenthpart\r\n" : "") +
    (n % 2 === 0 ? "halfofall\r\n" : "");
}

/** APPENDs so many messages to INBOX, the same each time. */
export async function fill(peer: Peer, count: number): Promise<void> {
  seed = 7;
  const c = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  for (let n = 0; n < count;) {
    let command = "APPEND INBOX";
    for (const end = Math.min(count, n + 100); n < end; n++) {
      const flags = n % 3 === 0 ? "" : "\\Seen";
      const message = text(n);
      command += ` (${flags}) {${message.length}+}\r\n${message}`;
    }
    await c.run(command);
  }
  await c.close();
}
