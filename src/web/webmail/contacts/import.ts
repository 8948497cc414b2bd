/** Importing files of cards into a book. @module */
import { importText } from "../../../groupware/import.ts";
import { decodeText, FormatError } from "../../../mail/contentline/component.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection } from "../../../store/groupware/types.ts";
import { HttpError, UserError } from "../../http/mod.ts";

/** Bytes of a file. */
const maxFile = 32 * 1024 * 1024;

/** Accounts with an import under way. */
const running = new Set<string>();

/** Imports the contacts of a file into a book; on disk when it resolves. @throws HttpError, UserError */
export async function importContacts(
  account: string,
  groupware: Groupware,
  book: Collection,
  path: string,
  size: number,
): Promise<{ imported: number; leftOut: number; left: string[] }> {
  if (size > maxFile) {
    throw new HttpError(413, `the file is too large, the limit is ${maxFile} bytes`);
  }
  if (running.has(account)) throw new UserError("another import is still under way");
  running.add(account);
  try {
    const result = await importText(groupware, book, decodeText(await Deno.readFile(path)));
    if (result.imported === 0 && result.leftOut === 0) {
      throw new UserError("there are no contacts (vCard) in this file");
    }
    return result;
  } catch (err) {
    if (!(err instanceof FormatError)) throw err;
    throw new UserError(`the file can't be read: ${err.message}`, { cause: err });
  } finally {
    running.delete(account);
  }
}
