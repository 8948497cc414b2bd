/**
 * Sieve scripts of users of Cyrus. Up to 3.4 each is a file `NAME.script` in the folder of its user below `sievedir`, and the
 * link `defaultbc` leads to the active one. Since 3.6 they are messages in the user's mailbox `#sieve`, and the link is in a
 * folder named after the id of the user's Inbox.
 *
 * @module
 */
import { basename, join } from "node:path";
import type { Config } from "../../config/mod.ts";
import { headerField, splitHeader } from "../../mail/header/header.ts";
import { decodeWords } from "../../mail/header/words.ts";
import {
  cyrusNameOfPath,
  cyrusScriptFolders,
  readCyrusIndex,
} from "../../store/import/cyrus/spool.ts";
import { headerEnd } from "../../store/import/sources.ts";
import { AdminError } from "../errors.ts";
import { cyrusAccounts } from "./cyrus.ts";
import { type OtherScript, type OtherScripts, scriptFile } from "./sieve.ts";

export interface CyrusScripts {
  /** `sievedir` of imapd.conf. */
  sievedir: string;
  /** A partition of mail, of Cyrus 3.6; "" before. */
  spool: string;
  /** Domain of users without one. */
  domain: string;
}

/** Levels of folders that are searched. */
const maxDepth = 16;
/** Bytes of a message's header in front of a script. */
const aboveScript = 16 * 1024;

/**
 * The scripts of existing accounts.
 * @param names of accounts; all if none is named
 * @throws AdminError, file errors other than of missing folders
 */
export async function* cyrusScripts(
  config: Config,
  { sievedir, spool, domain }: CyrusScripts,
  names: readonly string[],
): AsyncGenerator<OtherScripts> {
  const accountOf = cyrusAccounts(config, domain, names);
  const isFolder = (path: string) => Deno.stat(path).then((s) => s.isDirectory, () => false);
  for (const path of [sievedir, ...spool === "" ? [] : [spool]]) {
    if (!await isFolder(path)) throw new AdminError(`${path}: no such folder`);
  }
  for await (const { path, scripts } of folders(sievedir, [])) {
    const name = cyrusNameOfPath(withUser(path));
    const account = name && accountOf(name);
    if (account) yield { account, scripts, active: await activeIn(join(sievedir, ...path)) };
  }
  if (spool === "") return;
  const found = await cyrusScriptFolders(spool);
  for (const f of found.folders) {
    const account = accountOf(f);
    if (account === undefined) continue;
    const inbox = found.inboxes.find((i) => i.user === f.user && i.domain === f.domain);
    const id = inbox?.id ?? "";
    const active = id === "" ? "" : await activeIn(join(sievedir, "uuid", id[0], id[1] ?? "", id));
    yield { account, scripts: await messagesIn(f.folder), active };
  }
}

/** Paths as in the spool: `a/ann` and `domain/e/example.org/a/ann`. */
function withUser(path: readonly string[]): string[] {
  const rest = [...path];
  const user = rest.pop() ?? "";
  if (rest.at(-1)?.length === 1 && rest.at(-2) !== "domain") rest.pop();
  return [...rest, "user", user];
}

async function* folders(
  folder: string,
  path: string[],
): AsyncGenerator<{ path: string[]; scripts: OtherScript[] }> {
  const scripts: OtherScript[] = [];
  const below: string[] = [];
  for await (const e of Deno.readDir(folder)) {
    if (e.isDirectory) below.push(e.name);
    else if (e.isFile && e.name.endsWith(".script")) {
      scripts.push(scriptFile(join(folder, e.name), e.name.slice(0, -".script".length)));
    }
  }
  scripts.sort((a, b) => a.name < b.name ? -1 : 1);
  if (scripts.length > 0 && path.length > 0) yield { path, scripts };
  if (path.length >= maxDepth) return;
  for (const name of below.sort()) yield* folders(join(folder, name), [...path, name]);
}

/** The name of the script that `defaultbc` links to; "" without one. */
async function activeIn(folder: string): Promise<string> {
  const target = await Deno.readLink(join(folder, "defaultbc")).catch(() => "");
  return basename(target).replace(/\.bc$/, "");
}

/** Scripts in the form of Cyrus 3.6: the name is the subject, the script the body. The last one with a name counts. */
async function messagesIn(folder: string): Promise<OtherScript[]> {
  const uids: number[] = [];
  for await (const e of Deno.readDir(folder)) {
    const uid = /^([1-9]\d{0,9})\.$/.exec(e.name);
    if (uid && e.isFile) uids.push(Number(uid[1]));
  }
  const records = await readCyrusIndex(folder);
  const scripts = new Map<string, OtherScript>();
  for (const uid of uids.sort((a, b) => a - b)) {
    // Files of scripts that were removed stay for a while.
    if (typeof records !== "string" && records.get(uid)?.gone !== false) continue;
    const path = join(folder, `${uid}.`);
    const { size } = await Deno.stat(path);
    const head = await firstBytes(path);
    const end = headerEnd(head);
    const name = decodeWords(headerField(splitHeader(head.subarray(0, end)), "subject") ?? "")
      .trim();
    if (name === "") continue;
    scripts.set(name, {
      name,
      size: () => Promise.resolve(size - end),
      read: async () => (await Deno.readFile(path)).subarray(end + 2),
    });
  }
  return [...scripts.values()];
}

async function firstBytes(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(aboveScript);
  const n = await file.read(bytes);
  return bytes.subarray(0, n ?? 0);
}
