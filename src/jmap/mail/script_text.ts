/** The text of a script that a client has uploaded. @module */
import { scriptLimits } from "../../delivery/sieve/scripts.ts";
import { openBlob } from "../blobs/blob.ts";
import { SetError } from "../core/errors.ts";
import type { Access, MethodContext } from "../core/method.ts";
import { resolveId } from "../core/set.ts";

/** @throws SetError blobNotFound, tooLarge, invalidSieve */
export async function scriptText(
  ctx: MethodContext,
  access: Access,
  given: unknown,
): Promise<string> {
  const blobId = typeof given === "string" ? resolveId(ctx, given) ?? "" : "";
  const blob = await openBlob(ctx.s, access, blobId);
  if (!blob) {
    throw new SetError("blobNotFound", "there is no such blob", { notFound: [String(given)] });
  }
  try {
    if (blob.size > scriptLimits.size) {
      throw new SetError("tooLarge", `a script has ${scriptLimits.size} bytes at most`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(blob.read(0, blob.size));
  } catch (err) {
    if (!(err instanceof TypeError)) throw err;
    throw new SetError("invalidSieve", "the script is not UTF-8");
  } finally {
    blob.close();
  }
}
