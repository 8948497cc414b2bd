/** This node's domains.conf, its version, and the text of that version. @module */
import { type Config, readConfigFile } from "../../config/mod.ts";
import { writeFileAtomic } from "../../platform/files.ts";
import { noVersion, sha256, type Version, versionFrom } from "./config_version.ts";

/** Tries to find a text while its version is being recorded, and milliseconds between them. */
const maxLooks = 5;
const pause = 50;

/** State of this node's file. */
export interface OwnFile {
  version: Version;
  text: string;
  /** The file has been edited since that version. */
  edited: boolean;
}

export class VersionedFile {
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  /** Path of the file with the version. */
  get path(): string {
    return this.#config.dataPath("domains.version");
  }

  async read(): Promise<OwnFile> {
    const text = await readConfigFile(this.#config.dynamicPath);
    let version = noVersion;
    try {
      version = versionFrom(JSON.parse(await Deno.readTextFile(this.path)));
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    return { version, text, edited: version.version > 0 && version.hash !== sha256(text) };
  }

  /** The original text of a version, before it was edited; undefined if it is missing. */
  async base({ version, text, edited }: OwnFile): Promise<string | undefined> {
    if (!edited) return version.version === 0 ? undefined : text;
    const base = await readConfigFile(this.#config.dataPath("domains.base")).catch(() => "");
    return sha256(base) === version.hash ? base : undefined;
  }

  /** The version with its text, even while another one is being recorded; undefined if the text is missing. */
  async pushed(): Promise<{ version: Version; text: string } | undefined> {
    for (let n = 0; n < maxLooks; n++) {
      const own = await this.read();
      const text = own.version.version === 0 ? own.text : await this.base(own);
      if (text !== undefined) return { version: own.version, text };
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return undefined;
  }

  /** Writes a text into the data folder. @returns path of its file */
  async keep(name: string, text: string): Promise<string> {
    const path = this.#config.dataPath(name);
    await writeFileAtomic(path, new TextEncoder().encode(text), 0o600);
    return path;
  }

  /** Records the file's version, on disk when it resolves. @param text of the version */
  async note(version: Version, text: string): Promise<void> {
    await this.keep("domains.base", text);
    await this.keep("domains.version", JSON.stringify(version));
  }
}
