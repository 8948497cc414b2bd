/**
 * Files named in domains.conf: keys for DKIM and for journals. A node that accepts the file from another one fetches those
 * it lacks. Existing files are never replaced.
 *
 * @module
 */
import { dirname, isAbsolute, normalize } from "node:path";
import { type Config, ConfigError, namedFiles, readDynamic } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import { CallError } from "../../nodes/calls.ts";
import { NodeAway } from "../../nodes/link.ts";
import { ensureDir, writeFileAtomic } from "../../platform/files.ts";
import { fromOsPath } from "../../platform/paths.ts";
import { ownLikeFolder } from "../../platform/users.ts";

/** Bytes of a file with a key. */
const maxFile = 64 * 1024;
/** Files in one request between nodes. */
const maxFiles = 200;

type Ask = (node: string, files: readonly string[]) => Promise<unknown>;

export class NamedFiles {
  readonly #config: Config;
  readonly #log: Log;
  readonly #ask: Ask;

  /** @param ask requests files from a node, in base64 by their names */
  constructor(config: Config, log: Log, ask: Ask) {
    this.#config = config;
    this.#log = log;
    this.#ask = ask;
  }

  /** The files named in a text that are below the configuration's folder. */
  #below(text: string): string[] {
    const names = namedFiles(readDynamic(text, this.#config.static).value);
    return [...new Set(names)].filter((name) =>
      !isAbsolute(name) && !fromOsPath(normalize(name)).startsWith("../")
    );
  }

  /**
   * Answers another node that lacks files: their contents in base64, by name.
   * @param files names as in domains.conf
   * @param pushed the pushed version, which may name other files than the one in use
   * @throws CallError if a file is not named there, or can't be read
   */
  async give(files: unknown, pushed: { text: string } | undefined): Promise<unknown> {
    if (!Array.isArray(files) || files.length > maxFiles) {
      throw new CallError(`names of at most ${maxFiles} files are expected`);
    }
    const known = new Set(pushed === undefined ? [] : this.#below(pushed.text));
    const given: Record<string, string> = {};
    for (const name of files) {
      if (typeof name !== "string" || !known.has(name)) {
        throw new CallError(`domains.conf names no file ${JSON.stringify(name)} here`);
      }
      const bytes = await Deno.readFile(this.#config.configPath(name)).catch((err) => {
        throw new CallError(`${name} can't be read here: ${err.message}`);
      });
      if (bytes.length > maxFile) throw new CallError(`${name} is too large for a key`);
      given[name] = bytes.toBase64();
    }
    return given;
  }

  /**
   * Replaces domains.conf by a text, if the file is as expected. Files that the text names and this node lacks are
   * fetched.
   * @param from node that has them
   * @throws ConfigError if the file has changed meanwhile, or the text has mistakes
   */
  async replaceText(text: string, expected: string, from: string): Promise<void> {
    const replace = () => this.#config.replaceDynamicText(text, (now) => now === expected);
    try {
      await replace();
    } catch (err) {
      if (!(err instanceof ConfigError) || !await this.#fetchMissing(text, from)) throw err;
      await replace();
    }
  }

  /** @returns whether files were added */
  async #fetchMissing(text: string, from: string): Promise<boolean> {
    const missing: string[] = [];
    for (const name of this.#below(text)) {
      await Deno.lstat(this.#config.configPath(name)).catch(() => missing.push(name));
    }
    try {
      for (let at = 0; at < missing.length; at += maxFiles) {
        const names = missing.slice(at, at + maxFiles);
        const given = await this.#ask(from, names) as Record<string, unknown> | null;
        for (const name of names) await this.#write(name, given?.[name]);
      }
    } catch (err) {
      if (!(err instanceof NodeAway) && !(err instanceof CallError)) throw err;
      this.#log.warn("files of domains.conf can't be fetched", { node: from, err });
      return false;
    }
    if (missing.length > 0) {
      this.#log.info("files of domains.conf fetched", { node: from, files: missing.length });
    }
    return missing.length > 0;
  }

  async #write(name: string, base64: unknown): Promise<void> {
    if (typeof base64 !== "string" || base64.length > maxFile * 2) {
      throw new CallError(`${name}: no file came`);
    }
    const path = this.#config.configPath(name);
    let bytes: Uint8Array;
    try {
      bytes = Uint8Array.fromBase64(base64);
    } catch {
      throw new CallError(`${name}: no file came`);
    }
    await ensureDir(dirname(path));
    await writeFileAtomic(path, bytes, 0o600);
    ownLikeFolder(path);
  }
}
