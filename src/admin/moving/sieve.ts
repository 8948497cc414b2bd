/**
 * Sieve scripts of users of another server. Dovecot (Pigeonhole) keeps them in a user's home: `.dovecot.sieve`, a
 * link to the active script or the script itself, and the others in a folder `sieve`.
 *
 * @module
 */
import { basename, join } from "node:path";
import type { Config } from "../../config/mod.ts";
import { ScriptError, scriptLimits, type Scripts } from "../../delivery/sieve/scripts.ts";
import { accountsNamed, expandPattern } from "./mail.ts";

/** A script of another server. */
export interface OtherScript {
  name: string;
  /** Bytes of it, or of its file. */
  size(): Promise<number>;
  read(): Promise<Uint8Array>;
}

/** The scripts of an account at another server. */
export interface OtherScripts {
  account: string;
  scripts: OtherScript[];
  /** "" without one. */
  active: string;
}

export interface MoveScripts {
  scripts: Scripts;
  /** Replaces scripts of the same names. */
  replace: boolean;
  /** Dry run. */
  dryRun: boolean;
  /** Called with a line for each script. */
  tell(line: string): void;
}

/** Other kinds of files, and dangling links, don't count. */
async function fileAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    const info = await Deno.stat(path);
    return info.isFile ? info : undefined;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound || err instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw err;
  }
}

const nameOf = (path: string) => basename(path).replace(/^\./, "").replace(/\.sieve$/, "");

/** A script in its own file. */
export const scriptFile = (path: string, name: string): OtherScript => ({
  name,
  size: async () => (await Deno.stat(path)).size,
  read: () => Deno.readFile(path),
});

/** The scripts in a home, and the name of the active one; "" without one. */
async function scriptsIn(home: string): Promise<{ scripts: OtherScript[]; active: string }> {
  const scripts: OtherScript[] = [];
  const folder = join(home, "sieve");
  try {
    for await (const e of Deno.readDir(folder)) {
      const path = join(folder, e.name);
      if (!e.name.startsWith(".") && e.name.endsWith(".sieve") && await fileAt(path)) {
        scripts.push(scriptFile(path, nameOf(path)));
      }
    }
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound || err instanceof Deno.errors.NotADirectory)) {
      throw err;
    }
  }
  scripts.sort((a, b) => a.name < b.name ? -1 : 1);
  const active = join(home, ".dovecot.sieve");
  if (!await fileAt(active)) return { scripts, active: "" };
  const target = await Deno.readLink(active).catch(() => active);
  const name = nameOf(target);
  if (!scripts.some((f) => f.name === name)) scripts.push(scriptFile(active, name));
  return { scripts, active: name };
}

/**
 * The scripts in the homes given by a pattern.
 * @param pattern as of {@link expandPattern}
 * @param names of accounts; all if none is named
 * @throws AdminError, file errors other than of a missing file
 */
export async function* homeScripts(
  config: Config,
  pattern: string,
  names: readonly string[],
): AsyncGenerator<OtherScripts> {
  for (const account of accountsNamed(config, names)) {
    for (const address of config.accountAddresses(account)) {
      if (address.startsWith("@")) continue;
      yield { account, ...await scriptsIn(expandPattern(pattern, address)) };
    }
  }
}

/**
 * Takes over scripts. The active script here stays active.
 * @returns scripts that were stored, and those that could not be
 * @throws errors of the source, file errors
 */
export async function moveScripts(
  o: MoveScripts,
  source: AsyncIterable<OtherScripts>,
): Promise<{ stored: number; failed: number }> {
  let stored = 0, failed = 0;
  for await (const { account, scripts, active } of source) {
    for (const script of scripts) {
      const why = await take(o, account, script);
      if (why === undefined) stored++;
      else if (why !== there) failed++;
      const done = o.dryRun ? "would be taken over" : "taken over";
      o.tell(`${account}: script ${script.name}: ${why ?? done}`);
    }
    if (o.dryRun || active === "" || o.scripts.active(account) !== undefined) continue;
    if (o.scripts.get(account, active) === undefined) continue;
    await o.scripts.setActive(account, active);
    o.tell(`${account}: script ${active} is active`);
  }
  return { stored, failed };
}

const there = "is there already, and stays";

/** Why a script was not stored; undefined if it was. */
async function take(
  scripts: MoveScripts,
  account: string,
  script: OtherScript,
): Promise<string | undefined> {
  if (!scripts.replace && scripts.scripts.get(account, script.name) !== undefined) return there;
  if (await script.size() > scriptLimits.size) return `has more than ${scriptLimits.size} bytes`;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await script.read());
  } catch (err) {
    if (!(err instanceof TypeError)) throw err;
    return "is not in UTF-8";
  }
  try {
    if (scripts.dryRun) await scripts.scripts.check(text, script.name);
    else await scripts.scripts.put(account, script.name, text);
    return undefined;
  } catch (err) {
    if (!(err instanceof ScriptError)) throw err;
    return err.message;
  }
}
