/** Sieve scripts as JMAP has them (RFC 9661). @module */
import { createHash } from "node:crypto";
import { ScriptError, type Scripts } from "../../delivery/sieve/scripts.ts";
import { invalidProperties, SetError } from "../core/errors.ts";

export const scriptProperties = ["id", "name", "blobId", "isActive"];

/** Id of a script, and of the blob of its content as it is now. */
export function scriptId(id: number): string {
  return `S${id}`;
}
export function scriptBlobId(id: number, changed: number): string {
  return `S${id}v${changed}`;
}

/** All scripts of an account, by id. */
export function scriptObjects(
  scripts: Scripts,
  account: string,
): Map<string, Record<string, unknown>> {
  return new Map(
    scripts.list(account).map((s) => [scriptId(s.id), {
      id: scriptId(s.id),
      name: s.name,
      blobId: scriptBlobId(s.id, s.changed),
      isActive: s.active,
    }]),
  );
}

export function scriptState(scripts: Scripts, account: string): string {
  return createHash("sha256").update(JSON.stringify(scripts.list(account))).digest("hex")
    .slice(0, 16);
}

/** Text of the blob of a script; undefined for one that is another by now. */
export function scriptBlob(
  scripts: Scripts,
  account: string,
  blobId: string,
): Uint8Array | undefined {
  const m = /^S(\d{1,15})v(\d{1,16})$/.exec(blobId);
  const found = m && scripts.list(account)
    .find((s) => s.id === Number(m[1]) && s.changed === Number(m[2]));
  const text = found && scripts.get(account, found.name);
  return text === undefined || text === null ? undefined : new TextEncoder().encode(text);
}

/** The SetError for what the store of scripts refuses. */
export function scriptError(err: unknown, existingId?: string): SetError {
  if (!(err instanceof ScriptError)) throw err;
  switch (err.code) {
    case "missing":
      return new SetError("notFound", err.message);
    case "exists":
      return new SetError("alreadyExists", err.message, existingId ? { existingId } : {});
    case "active":
      return new SetError("sieveIsActive", err.message);
    case "name":
      return invalidProperties(["name"], err.message);
    case "tooLarge":
      return new SetError("tooLarge", err.message);
    case "tooMany":
    case "overQuota":
      return new SetError("overQuota", err.message);
    case "invalid":
      return new SetError("invalidSieve", err.message);
  }
}
