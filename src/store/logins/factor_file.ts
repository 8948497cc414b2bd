/**
 * The administrator's second factor (TOTP), in a file of the data folder: the administrator has no account.
 * Without the file there is no second factor, so an administrator who has lost it removes the file.
 *
 * @module
 */
import { join } from "node:path";
import { removeFile, writeFileAtomic } from "../../platform/files.ts";
import { appPasswordHash, newAppPassword } from "./app_passwords.ts";
import { matchingStep } from "./totp.ts";

/** Name of the file. */
export const adminFactorFile = "admin-second-factor.json";

/** Recovery codes generated with a key. */
const recoveryCodes = 10;

interface Stored {
  key: string;
  /** Step of the last code: each is valid once. */
  used: number;
  /** Hashes of the unused ones. */
  recovery: string[];
}

export class FactorFile {
  readonly #path: string;
  /** Runs one call after the other, as each use changes the file. */
  #running: Promise<unknown> = Promise.resolve();

  constructor(dataDir: string) {
    this.#path = join(dataDir, adminFactorFile);
  }

  /** @throws Error if the file can't be read or is damaged: nobody gets in then */
  async #read(): Promise<Stored | undefined> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.#path);
    } catch (err) {
      if (err instanceof Deno.errors.NotFound) return undefined;
      throw err;
    }
    try {
      const { key, used, recovery } = JSON.parse(text) as Stored;
      if (typeof key !== "string" || !Number.isSafeInteger(used) || !Array.isArray(recovery)) {
        throw new Error("it has other fields");
      }
      return { key, used, recovery: recovery.map(String) };
    } catch (cause) {
      throw new Error(`${this.#path} is damaged; remove it to go without second factor`, { cause });
    }
  }

  async #write(stored: Stored): Promise<void> {
    await writeFileAtomic(this.#path, new TextEncoder().encode(`${JSON.stringify(stored)}\n`));
  }

  #alone<T>(fn: () => Promise<T>): Promise<T> {
    const result = this.#running.then(fn);
    this.#running = result.catch(() => {});
    return result;
  }

  /** Whether there is one, and how many recovery codes are unused. */
  state(): Promise<{ on: boolean; recoveryCodes: number }> {
    return this.#alone(async () => {
      const s = await this.#read();
      return { on: s !== undefined, recoveryCodes: s?.recovery.length ?? 0 };
    });
  }

  /**
   * Turns it on with a key, given its current code as proof.
   * @returns recovery codes; undefined if the code is wrong
   */
  enable(key: string, code: string, now: number): Promise<string[] | undefined> {
    return this.#alone(async () => {
      const used = matchingStep(key, code, now, 0);
      if (used === undefined) return undefined;
      const codes = Array.from({ length: recoveryCodes }, () => newAppPassword().slice(0, 10));
      await this.#write({ key, used, recovery: codes.map(appPasswordHash) });
      return codes;
    });
  }

  disable(): Promise<void> {
    return this.#alone(() => {
      removeFile(this.#path);
      return Promise.resolve();
    });
  }

  /**
   * Checks a code, or a recovery code; each is valid once, on disk when it resolves. True without a second
   * factor.
   */
  check(code: string, now: number): Promise<boolean> {
    const given = code.replace(/\s/g, "").toLowerCase();
    return this.#alone(async () => {
      const s = await this.#read();
      if (s === undefined) return true;
      const used = matchingStep(s.key, given, now, s.used);
      if (used !== undefined) {
        await this.#write({ ...s, used });
        return true;
      }
      const hash = appPasswordHash(given);
      if (!s.recovery.includes(hash)) return false;
      await this.#write({ ...s, recovery: s.recovery.filter((c) => c !== hash) });
      return true;
    });
  }
}
