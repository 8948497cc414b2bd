/** Data folders that the Go original (v0.0.17) made, and what its own IMAP server said of them. */
import { gunzipSync } from "node:zlib";
import { dirname, join } from "node:path";
import { extract } from "tar-stream";

const testdata = new URL("./testdata/", import.meta.url);

/** Unpacks one of the archives into a folder. */
export async function unpack(name: string, dir: string): Promise<void> {
  const bytes = gunzipSync(await Deno.readFile(new URL(name, testdata)));
  const tar = extract();
  const done = (async () => {
    for await (const entry of tar) {
      const path = join(dir, entry.header.name);
      if (entry.header.type === "directory") await Deno.mkdir(path, { recursive: true });
      const chunks: Uint8Array[] = [];
      for await (const c of entry) chunks.push(c as Uint8Array);
      if (entry.header.type === "link") {
        await Deno.link(join(dir, entry.header.linkname!), path);
      } else if (entry.header.type === "file") {
        await Deno.mkdir(dirname(path), { recursive: true });
        await Deno.writeFile(
          path,
          new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()),
        );
      }
    }
  })();
  tar.end(bytes);
  await done;
}

/** A message as the original's IMAP server described it. */
export interface ExpectedMessage {
  uid: number;
  size: number;
  date: string;
  /** Sorted. */
  flags: string[];
}

/** Takes the answer to `FETCH (FLAGS RFC822.SIZE INTERNALDATE)` apart, in whichever order. */
export function parseFetch(line: string): ExpectedMessage {
  const uid = /UID (\d+)/.exec(line)![1];
  const size = /RFC822\.SIZE (\d+)/.exec(line)![1];
  // RFC 9051 has a day of one digit with a space or a zero.
  const date = /INTERNALDATE "([^"]*)"/.exec(line)![1].replace(/^ /, "0");
  // \Recent is the session's, and the original has none.
  const flags = /FLAGS \(([^)]*)\)/.exec(line)![1].split(" ")
    .filter((f) => f !== "" && f !== "\\Recent").sort();
  return { uid: Number(uid), size: Number(size), date, flags };
}

export interface ExpectedMailbox {
  uidValidity: number;
  messages: ExpectedMessage[];
}

/** What the original's IMAP server said of an account's mailboxes, by name in modified UTF-7. */
export async function expected(account: string): Promise<Map<string, ExpectedMailbox>> {
  const json = JSON.parse(
    await Deno.readTextFile(new URL(`expected-${account}.json`, testdata)),
  ) as Record<string, { uidvalidity: string; messages: string[] }>;
  return new Map(
    Object.entries(json).map(([name, m]) => [
      name,
      { uidValidity: Number(m.uidvalidity), messages: m.messages.map(parseFetch) },
    ]),
  );
}

/** Each file below a folder with its size, time and rights; also how many names it has if wanted. */
export function listing(dir: string): string[] {
  const lines: string[] = [];
  const walk = (path: string, name: string) => {
    for (const e of Deno.readDirSync(path)) {
      const inner = join(path, e.name);
      const s = Deno.lstatSync(inner);
      lines.push(`${name}/${e.name} ${s.isFile ? s.size : ""} ${s.mtime?.getTime()} ${s.mode}`);
      if (e.isDirectory) walk(inner, `${name}/${e.name}`);
    }
  };
  walk(dir, "");
  return lines.sort();
}
