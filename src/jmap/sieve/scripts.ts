/** Sieve scripts in JMAP (RFC 9661). @module */
import {
  ScriptError,
  type ScriptInfo,
  scriptLimits,
  type Scripts,
} from "../../delivery/sieve/scripts.ts";
import { extensions, problemText, scriptText, SieveSyntaxError } from "../../sieve/mod.ts";
import { openBlob, scriptHash } from "../mail/blob.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { Access } from "../core/method.ts";
import type { JmapServices } from "../services.ts";

export const scriptProperties = ["id", "name", "blobId", "isActive"];

/** Most redirects of a script for one message. */
const maxRedirects = 16;

/** An account's capability (RFC 9661 §1.2.1). */
export const sieveCapability = {
  // 128 characters, as in ManageSieve.
  maxSizeScriptName: 512,
  maxSizeScript: scriptLimits.size,
  maxNumberScripts: scriptLimits.count,
  maxNumberRedirects: maxRedirects,
  sieveExtensions: extensions,
  notificationMethods: ["mailto"],
  externalLists: [":addrbook:default"],
};

const idOf = (s: ScriptInfo) => `S${s.id}`;

function object(scripts: Scripts, account: string, info: ScriptInfo): Record<string, unknown> {
  const text = scripts.get(account, info.name) ?? "";
  return {
    id: idOf(info),
    name: info.name,
    blobId: `${idOf(info)}_${scriptHash(text)}`,
    isActive: info.active,
  };
}

/** All scripts of an account, by id. */
export function scriptObjects(
  scripts: Scripts,
  account: string,
): Map<string, Record<string, unknown>> {
  return new Map(scripts.list(account).map((s) => [idOf(s), object(scripts, account, s)]));
}

export function scriptState(scripts: Scripts, account: string): string {
  return scriptHash(JSON.stringify([...scriptObjects(scripts, account).values()])).slice(0, 16);
}

/** The stored script of an id. */
export function scriptOf(scripts: Scripts, account: string, id: string): ScriptInfo | undefined {
  return scripts.list(account).find((s) => idOf(s) === id);
}

/** Text of a blob. @throws SetError blobNotFound, tooLarge, invalidSieve */
export async function textOfBlob(
  services: JmapServices,
  access: Access,
  blobId: unknown,
): Promise<string> {
  if (typeof blobId !== "string") throw invalidProperties(["blobId"], "blobId is missing");
  const blob = await openBlob(services, access, blobId);
  if (!blob) throw new SetError("blobNotFound", "there is no such blob", { notFound: [blobId] });
  try {
    if (blob.size > scriptLimits.size) {
      throw new SetError("tooLarge", `a script has ${scriptLimits.size} bytes at most`);
    }
    return scriptText(blob.read(0, blob.size));
  } catch (err) {
    if (err instanceof SieveSyntaxError) throw new SetError("invalidSieve", err.message);
    throw err;
  } finally {
    blob.close();
  }
}

/** The SetError for an error about a script; other errors are rethrown. */
export function scriptSetError(err: unknown, existing?: string): never {
  if (!(err instanceof ScriptError)) throw err;
  switch (err.code) {
    case "invalid":
      throw new SetError("invalidSieve", err.problems.map((p) => problemText(p)).join("\n"));
    case "name":
      throw invalidProperties(["name"], err.message);
    case "exists":
      throw new SetError(
        "alreadyExists",
        err.message,
        existing === undefined ? {} : { existingId: existing },
      );
    case "active":
      throw new SetError("sieveIsActive", err.message);
    case "tooLarge":
      throw new SetError("tooLarge", err.message);
    case "tooMany":
    case "overQuota":
      throw new SetError("overQuota", err.message);
    case "missing":
      throw new SetError("notFound", err.message);
  }
}

/** Id of the script of a name. */
export function idOfName(scripts: Scripts, account: string, name: string): string | undefined {
  const found = scripts.list(account).find((s) => s.name === name);
  return found && idOf(found);
}
