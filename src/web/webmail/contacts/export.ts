/** A book as a file. @module */
import { exportCollection } from "../../../groupware/export.ts";
import type { Account } from "../../../store/account/account.ts";
import type { WebRequest } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import { pieceStream } from "../reading/content.ts";
import { disposition } from "../reading/documents.ts";
import { addressBook, bookName } from "./books.ts";

/** All cards of the book that is asked for, one after the other. @throws HttpError 404 */
export async function exportedBook(
  req: WebRequest,
  account: Account,
  release: () => void,
): Promise<Response> {
  const id = req.url.searchParams.get("book") ?? "";
  if (!/^\d{1,15}$/.test(id)) throw missing("address book");
  const g = await account.groupware();
  const book = addressBook(g, Number(id));
  const name = bookName(g, book) || "contacts";
  const pieces = exportCollection(g, book, name)[Symbol.asyncIterator]();
  return new Response(pieceStream(pieces, release, req.log), {
    headers: {
      "Content-Type": "text/vcard; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Disposition": disposition("attachment", `${name}.vcf`),
    },
  });
}
