/**
 * domains.conf on all nodes: one node pushes its file, the others accept it, or fetch it later if they were away. Each
 * push has a version and is signed by the key of the node that made it, whoever passes it on. Nodes that push at the same
 * time don't overwrite each other's changes: the first available one of Nodes accepts one of the pushes, and the other
 * pusher merges both line by line, or reports a conflict.
 *
 * @module
 */
import { type Config, ConfigError, readConfigFile } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import { CallError, type CallHandler, callNode } from "../../nodes/calls.ts";
import type { NodeKey } from "../../nodes/key.ts";
import { NodeAway } from "../../nodes/link.ts";
import { mergeLines } from "../../nodes/merge_lines.ts";
import { type OwnFile, VersionedFile } from "./config_file.ts";
import { NamedFiles } from "./named_files.ts";
import {
  historyFrom,
  holds,
  isSigned,
  sha256,
  signedVersion,
  type Version,
  versionFrom,
} from "./config_version.ts";

/** State of a node's file. */
export interface ConfigState {
  node: string;
  version: number;
  /** The file has been edited since. */
  edited: boolean;
  /** Why the state is unknown, or why the node did not accept the file. */
  error?: string;
  /** The node has changes missing in this one's file, with the same version number or a lower one. */
  apart?: boolean;
}

/** The same, with its version. */
interface KnownState extends ConfigState {
  hash?: string;
  history?: string[];
}

/** Milliseconds between checks of other nodes' versions. */
const interval = 30_000;
/** Times a push is restarted because others push at the same time. */
const maxTries = 5;
/** Parts of a node's refusal when it has a different version than the push is based on. */
const notNewer = "is not newer than";
const notInIt = "changes that are not in it";

/** Another node has changes that conflict with those here: somebody has to merge them. */
export class PushConflict extends Error {
  override name = "PushConflict";
}

export class ConfigSync {
  readonly #config: Config;
  readonly #key: NodeKey;
  readonly #log: Log;
  readonly #file: VersionedFile;
  readonly #named: NamedFiles;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastWarning = "";
  /** Changes of this node's version, one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(config: Config, key: NodeKey, log: Log) {
    this.#config = config;
    this.#file = new VersionedFile(config);
    this.#key = key;
    this.#log = log;
    this.#named = new NamedFiles(
      config,
      log,
      (node, files) => this.#ask(node, "config files", { files }),
    );
  }

  /** Calls open to other nodes. */
  get calls(): Map<string, CallHandler> {
    return new Map<string, CallHandler>([
      ["config push", async (args, { node }) => {
        const { text } = args;
        if (typeof text !== "string") throw new CallError("a text is expected");
        const version = versionFrom(args.version);
        await this.#oneByOne(() => this.#take(version, text, node));
      }],
      [
        "config files",
        async ({ files }) => await this.#named.give(files, await this.#file.pushed()),
      ],
      ["config state", async () => {
        const { version: { version, hash, history }, edited } = await this.#file.read();
        return { version, edited, hash, history };
      }],
      ["config text", async () => {
        const pushed = await this.#file.pushed();
        if (pushed === undefined) throw new CallError("it was edited since");
        return pushed;
      }],
    ]);
  }

  /** Fetches what was pushed while this node was away, now and periodically. */
  start(): void {
    void this.pull();
    this.#timer = setInterval(() => void this.pull(), interval);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #oneByOne<T>(fn: () => Promise<T>): Promise<T> {
    const run = this.#last.then(fn);
    this.#last = run.catch(() => {});
    return run;
  }

  get #own(): string {
    return this.#config.static.Node;
  }

  get #others(): string[] {
    return [...this.#config.dynamic.Nodes.keys()].filter((n) => n !== this.#own);
  }

  async #ask(node: string, call: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return await callNode(this.#key, node, this.#config.dynamic.Nodes.get(node)!, call, args);
  }

  /**
   * Pushes this node's file to all others. Changes that others have pushed meanwhile are merged into it first.
   * @param force replaces the others' files, which they keep as domains.conf.previous
   * @returns the outcome at each node; nodes that are away fetch it when they are back
   * @throws ConfigError if the file has mistakes; PushConflict
   */
  async push(force = false): Promise<ConfigState[]> {
    for (let n = 0; n < maxTries; n++) {
      const begun = await this.#oneByOne(() => this.#beginPush(force));
      if (begun === undefined) continue;
      const { version, text, states } = begun;
      const later = this.#others.filter((node) => !states.has(node));
      await Promise.all(later.map(async (node) => {
        states.set(node, await this.#giveLater(node, version, text));
      }));
      return this.#others.map((node) => states.get(node)!);
    }
    throw new PushConflict("other nodes push again and again at the same time: try again later");
  }

  /**
   * Pushes up to the point where this node has the new version. The first of Nodes that accepts it decides which of two
   * pushes comes first, and makes it count.
   * @returns undefined if it has to start again because another push came first
   */
  async #beginPush(
    force: boolean,
  ): Promise<
    { version: Version; text: string; states: Map<string, ConfigState> } | undefined
  > {
    await this.#config.reload();
    const own = await this.#file.read();
    const known = await this.#othersKnown();
    const foreign = known.filter(({ version, hash }) =>
      hash !== undefined && !holds(own.version, { version, hash })
    );
    if (foreign.length > 0 && !force) return void await this.#bringTogether(own, foreign);
    const { text } = own;
    const version = signedVersion(
      this.#key,
      this.#own,
      Math.max(own.version.version, ...known.map((s) => s.version)) + 1,
      text,
      [
        own.version.hash,
        ...foreign.flatMap((s) => [s.hash!, ...s.history ?? []]),
        ...own.version.history ?? [],
      ],
    );
    const states = new Map<string, ConfigState>();
    for (const { node, error } of known) {
      if (error !== undefined) states.set(node, { node, version: 0, edited: false, error });
    }
    for (const node of this.#config.dynamic.Nodes.keys()) {
      if (node === this.#own) break;
      if (states.has(node)) continue;
      const state = await this.#give(node, version, text);
      if (isOvertaken(state)) return undefined;
      states.set(node, state);
      if (state.error === undefined) break;
    }
    await this.#file.note(version, text);
    return { version, text, states };
  }

  async #give(node: string, version: Version, text: string): Promise<ConfigState> {
    try {
      await this.#ask(node, "config push", { version, text });
      return { node, version: version.version, edited: false };
    } catch (err) {
      return { node, version: 0, edited: false, error: reason(err) };
    }
  }

  /** The same, once the version counts: the node may have a later one based on it. */
  async #giveLater(node: string, version: Version, text: string): Promise<ConfigState> {
    const state = await this.#give(node, version, text);
    if (!isOvertaken(state)) return state;
    const now = (await this.#othersKnown([node]))[0];
    const isIn = now.hash === version.hash || now.history?.includes(version.hash);
    return isIn ? { node, version: now.version, edited: false } : state;
  }

  /** Merges what another node has pushed into this one's file. @throws PushConflict */
  async #bringTogether(own: OwnFile, foreign: readonly KnownState[]): Promise<void> {
    const newest = newestOf(foreign)!;
    const got = await this.#ask(newest.node, "config text") as Record<string, unknown>;
    const theirs = this.#checked(versionFrom(got?.version), got?.text);
    const text = got.text as string;
    const why = await this.#merge(own, theirs, text, newest.node);
    if (why === "") return;
    const path = await this.#file.keep(`domains.conf.of-${newest.node}`, text);
    throw new PushConflict(
      `version ${theirs.version} of ${theirs.by} can't be brought together with ${this.#config.dynamicPath}: ${why}. ` +
        `It is in ${path}: put its changes into the file, then "mox node push -force"`,
    );
  }

  /**
   * Rebases this node's changes onto another version.
   * @param from node that has it
   * @returns why that is impossible; "" when done, or if the file was edited just now
   */
  async #merge(own: OwnFile, theirs: Version, text: string, from: string): Promise<string> {
    const { dynamicPath } = this.#config;
    const base = holds(theirs, own.version) ? await this.#file.base(own) : undefined;
    const merged = base === undefined
      ? text === own.text ? text : undefined
      : mergeLines(base, own.text, text);
    if (merged === undefined) {
      return "both were changed in the same lines, or from different versions";
    }
    try {
      if (merged !== own.text) {
        await this.#file.keep("domains.conf.previous", own.text);
        await this.#named.replaceText(merged, own.text, from);
      }
    } catch (err) {
      if (!(err instanceof ConfigError)) throw err;
      return await readConfigFile(dynamicPath) === own.text ? err.message : "";
    }
    await this.#file.note(theirs, text);
    const { version, by } = theirs;
    this.#log.info("domains.conf has the changes of another node too", { version, by });
    return "";
  }

  /** State of this node's file. */
  async state(): Promise<{ version: number; edited: boolean }> {
    const { version, edited } = await this.#file.read();
    return { version: version.version, edited };
  }

  async #othersKnown(nodes = this.#others): Promise<KnownState[]> {
    return await Promise.all(nodes.map(async (node): Promise<KnownState> => {
      try {
        const s = await this.#ask(node, "config state") as Record<string, unknown>;
        const state = { node, version: Number(s.version) || 0, edited: s.edited === true };
        // Programs before this one don't say which version it is.
        if (typeof s.hash !== "string") return state;
        return { ...state, hash: s.hash, history: historyFrom(s.history) };
      } catch (err) {
        return { node, version: 0, edited: false, error: reason(err) };
      }
    }));
  }

  /** State of all nodes' files, this one's first. */
  async states(): Promise<ConfigState[]> {
    const own = await this.#file.read();
    const { version } = own.version;
    const others = await this.#othersKnown();
    return [
      { node: this.#own, version, edited: own.edited },
      ...others.map(({ hash, history: _, ...state }): ConfigState => {
        const isApart = hash !== undefined && state.version > 0 && state.version <= version &&
          !holds(own.version, { version: state.version, hash });
        return isApart ? { ...state, apart: true } : state;
      }),
    ];
  }

  /** Accepts the newest file of another node, if it is newer than this one's. */
  async pull(): Promise<void> {
    try {
      await this.#oneByOne(async () => {
        const { version: own } = await this.state();
        const newer = newestOf((await this.#othersKnown()).filter((s) => s.version > own));
        if (newer === undefined) return;
        const { node, version: newest } = newer;
        this.#log.warn("domains.conf is behind", { version: own, node, newest });
        const got = await this.#ask(node, "config text") as Record<string, unknown>;
        if (typeof got?.text !== "string") throw new CallError("a text is expected");
        await this.#take(versionFrom(got.version), got.text, node);
      });
    } catch (err) {
      const text = reason(err);
      if (text !== this.#lastWarning) {
        this.#log.error("domains.conf can't be brought up to date", { err: err as Error });
      }
      this.#lastWarning = text;
    }
  }

  /** @throws CallError unless a node has signed it for that text */
  #checked(version: Version, text: unknown): Version {
    const signer = this.#config.dynamic.Nodes.get(version.by);
    if (
      signer === undefined || typeof text !== "string" || sha256(text) !== version.hash ||
      !isSigned(version, signer.Key)
    ) throw new CallError("it is not signed by a node");
    return version;
  }

  /** @param from node that has it @throws CallError with the reason why it isn't accepted */
  async #take(version: Version, text: string, from: string): Promise<void> {
    for (let n = 0; n < maxTries; n++) if (await this.#tryTake(version, text, from)) return;
    throw new CallError(`${this.#config.dynamicPath} is being edited here: try again`);
  }

  /**
   * @returns false if the file was edited just now
   * @throws CallError
   */
  async #tryTake(version: Version, text: string, from: string): Promise<boolean> {
    const own = await this.#file.read();
    if (version.version <= own.version.version) {
      throw new CallError(
        `version ${version.version} ${notNewer} ${own.version.version}, which is here`,
      );
    }
    this.#checked(version, text);
    // It was accepted before, and the process ended in between.
    if (version.hash === sha256(own.text)) {
      await this.#file.note(version, text);
      return true;
    }
    if (!holds(version, own.version)) {
      throw new CallError(
        `version ${own.version.version}, pushed by ${own.version.by}, is here, with ${notInIt}`,
      );
    }
    if (own.edited) {
      const why = await this.#merge(own, version, text, from);
      if (why === "") return (await this.#file.read()).version.hash === version.hash;
      throw new CallError(
        `${this.#config.dynamicPath} was edited here since version ${own.version.version}: ${why}. Push ` +
          `from here, or remove ${this.#file.path} to have it replaced`,
      );
    }
    await this.#file.keep("domains.conf.previous", own.text);
    try {
      await this.#named.replaceText(text, own.text, from);
    } catch (err) {
      if (!(err instanceof ConfigError)) throw err;
      if (await readConfigFile(this.#config.dynamicPath) !== own.text) return false;
      throw new CallError(err.message);
    }
    await this.#file.note(version, text);
    this.#lastWarning = "";
    this.#log.info("domains.conf taken from another node", {
      version: version.version,
      by: version.by,
    });
    return true;
  }
}

/** Whether the node refused it because another version came first. */
function isOvertaken({ error }: ConfigState): boolean {
  return error !== undefined && (error.includes(notNewer) || error.includes(notInIt));
}

/** The newest version, preferably from a node whose file was not edited since. */
function newestOf(states: readonly KnownState[]): KnownState | undefined {
  return states.toSorted((a, b) => b.version - a.version || Number(a.edited) - Number(b.edited))[0];
}

function reason(err: unknown): string {
  if (err instanceof NodeAway || err instanceof CallError || err instanceof ConfigError) {
    return err.message;
  }
  return err instanceof Error ? err.message : String(err);
}
