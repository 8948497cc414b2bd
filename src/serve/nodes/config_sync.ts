/**
 * domains.conf on all nodes: one node pushes its file, the others take it, or fetch it later if they were away. Each
 * push has a version and is signed by the key of the node that made it, whoever passes it on.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type Config, ConfigError, readConfigFile } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import { CallError, type CallHandler, callNode } from "../../nodes/calls.ts";
import { type NodeKey, signAsNode, signedByNode } from "../../nodes/key.ts";
import { NodeAway } from "../../nodes/link.ts";
import { writeFileAtomic } from "../../platform/files.ts";

/** A push, without its text. */
interface Version {
  version: number;
  /** SHA-256 of the text, in hexadecimal. */
  hash: string;
  /** The node that pushed it. */
  by: string;
  /** Certificate of its key, PEM. */
  certificate: string;
  signature: string;
}

/** How it stands with the file of a node. */
export interface ConfigState {
  node: string;
  version: number;
  /** The file has been edited since. */
  edited: boolean;
  /** Why nothing is known. */
  error?: string;
}

const none: Version = { version: 0, hash: "", by: "", certificate: "", signature: "" };
/** Milliseconds between looks for what other nodes have. */
const interval = 30_000;
/** A number that no honest push comes near. */
const maxVersion = 1e9;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const signedText = (v: Version) => `domains.conf ${v.version} ${v.hash} ${v.by}`;

/** A version from the network or from the file. @throws CallError */
function versionFrom(value: unknown): Version {
  const v = (value ?? {}) as Record<string, unknown>;
  const { version, hash, by, certificate, signature } = v;
  const words = [hash, by, certificate, signature];
  if (
    !Number.isSafeInteger(version) || (version as number) < 0 || (version as number) > maxVersion ||
    !words.every((w) => typeof w === "string" && w.length < 20_000)
  ) throw new CallError("a version of domains.conf is expected");
  return { version, hash, by, certificate, signature } as Version;
}

export class ConfigSync {
  readonly #config: Config;
  readonly #key: NodeKey;
  readonly #log: Log;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastWarning = "";

  constructor(config: Config, key: NodeKey, log: Log) {
    this.#config = config;
    this.#key = key;
    this.#log = log;
  }

  /** What other nodes may ask. */
  get calls(): Map<string, CallHandler> {
    return new Map<string, CallHandler>([
      ["config push", async (args) => {
        if (typeof args.text !== "string") throw new CallError("a text is expected");
        await this.#take(versionFrom(args.version), args.text);
      }],
      ["config state", () => this.state()],
      ["config text", async () => {
        const { version, edited, text } = await this.#read();
        if (edited) throw new CallError("it was edited since");
        return { version, text };
      }],
    ]);
  }

  /** Fetches what was pushed while this node was away, now and from time to time. */
  start(): void {
    void this.pull();
    this.#timer = setInterval(() => void this.pull(), interval);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  get #others(): string[] {
    return [...this.#config.dynamic.Nodes.keys()].filter((n) => n !== this.#config.static.Node);
  }

  async #ask(node: string, call: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return await callNode(this.#key, node, this.#config.dynamic.Nodes.get(node)!, call, args);
  }

  async #read(): Promise<{ version: Version; text: string; edited: boolean }> {
    const text = await readConfigFile(this.#config.dynamicPath);
    let version = none;
    try {
      version = versionFrom(JSON.parse(await Deno.readTextFile(this.#file)));
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    return { version, text, edited: version.version > 0 && version.hash !== sha256(text) };
  }

  get #file(): string {
    return this.#config.dataPath("domains.version");
  }

  async #note(version: Version): Promise<void> {
    await writeFileAtomic(this.#file, new TextEncoder().encode(JSON.stringify(version)), 0o600);
  }

  /**
   * Gives this node's file to all others.
   * @returns what became of it at each of them; those that are away fetch it when they are back
   * @throws ConfigError if the file has mistakes
   */
  async push(): Promise<ConfigState[]> {
    await this.#config.reload();
    const { version: before, text } = await this.#read();
    const states = await this.states();
    const version: Version = {
      ...none,
      version: Math.max(before.version, ...states.map((s) => s.version)) + 1,
      hash: sha256(text),
      by: this.#config.static.Node,
      certificate: this.#key.cert,
    };
    version.signature = signAsNode(this.#key, signedText(version));
    await this.#note(version);
    return await Promise.all(this.#others.map(async (node): Promise<ConfigState> => {
      try {
        await this.#ask(node, "config push", { version, text });
        return { node, version: version.version, edited: false };
      } catch (err) {
        return { node, version: 0, edited: false, error: reason(err) };
      }
    }));
  }

  /** How it stands with this node's file. */
  async state(): Promise<{ version: number; edited: boolean }> {
    const { version, edited } = await this.#read();
    return { version: version.version, edited };
  }

  /** How it stands with the files of all nodes, this one's first. */
  async states(): Promise<ConfigState[]> {
    const own = await this.#read();
    const { version: { version }, edited } = own;
    return [
      { node: this.#config.static.Node, version, edited },
      ...await Promise.all(this.#others.map(async (node): Promise<ConfigState> => {
        try {
          const s = await this.#ask(node, "config state") as {
            version?: unknown;
            edited?: unknown;
          };
          return { node, version: Number(s.version) || 0, edited: s.edited === true };
        } catch (err) {
          return { node, version: 0, edited: false, error: reason(err) };
        }
      })),
    ];
  }

  /** Takes the newest file that another node has, if it is newer than this one's. */
  async pull(): Promise<void> {
    try {
      const [own, ...others] = await this.states();
      const newer = others.filter((s) => s.version > own.version && !s.edited)
        .sort((a, b) => b.version - a.version)[0];
      if (newer === undefined) return;
      this.#log.warn("domains.conf is behind", {
        version: own.version,
        node: newer.node,
        newest: newer.version,
      });
      const got = await this.#ask(newer.node, "config text") as Record<string, unknown>;
      if (typeof got?.text !== "string") throw new CallError("a text is expected");
      await this.#take(versionFrom(got.version), got.text);
    } catch (err) {
      const text = reason(err);
      if (text !== this.#lastWarning) {
        this.#log.error("domains.conf can't be brought up to date", { err: err as Error });
      }
      this.#lastWarning = text;
    }
  }

  /** @throws CallError saying why it isn't taken */
  async #take(version: Version, text: string): Promise<void> {
    const own = await this.#read();
    if (version.version <= own.version.version) {
      throw new CallError(
        `version ${version.version} is not newer than ${own.version.version}, which is here`,
      );
    }
    const signer = this.#config.dynamic.Nodes.get(version.by);
    const { certificate, signature } = version;
    if (
      signer === undefined || sha256(text) !== version.hash ||
      !signedByNode(signer.Key, certificate, signedText(version), signature)
    ) throw new CallError("it is not signed by a node");
    // Taken before, and the process ended in between.
    if (version.hash === sha256(own.text)) return await this.#note(version);
    if (own.edited) {
      throw new CallError(
        `${this.#config.dynamicPath} was edited here since version ${own.version.version}: push from here, or ` +
          `remove ${this.#file} to have it replaced`,
      );
    }
    await writeFileAtomic(
      this.#config.dataPath("domains.conf.previous"),
      new TextEncoder().encode(own.text),
      0o600,
    );
    try {
      await this.#config.replaceDynamicText(text, (now) => now === own.text);
    } catch (err) {
      if (err instanceof ConfigError) throw new CallError(err.message);
      throw err;
    }
    await this.#note(version);
    this.#lastWarning = "";
    this.#log.info("domains.conf taken from another node", {
      version: version.version,
      by: version.by,
    });
  }
}

function reason(err: unknown): string {
  if (err instanceof NodeAway || err instanceof CallError || err instanceof ConfigError) {
    return err.message;
  }
  return err instanceof Error ? err.message : String(err);
}
