/** A book as a file. @module */
import { exportCollection } from "../../../groupware/export.ts";
import type { Account } from "../../../store/account/account.ts";
import type { WebRequest } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import { pieceStream } from "../reading/content.ts";
import { disposition } from "../reading/documents.ts";
import type { OwnerServices } from "../owners.ts";
import { bookName, withShelf } from "./books.ts";

/** All cards of the requested book, one after the other. @throws HttpError 404 */
export async function exportedBook(
  services: OwnerServices,
  req: WebRequest,
  account: Account,
  release: () => void,
): Promise<Response> {
  const id = req.url.searchParams.get("book") ?? "";
  if (!/^\d{1,15}$/.test(id)) throw missing("address book");
  const owner = req.url.searchParams.get("owner") ?? "";
  // The owner's account stays open while the book is read.
  let kept: Account | undefined;
  const { g, book, name } = await withShelf(services, account, owner, (shelf) => {
    const book = shelf.book(Number(id));
    kept = owner === "" ? undefined : services.accounts.ifOpen(owner)?.acquire();
    return { g: shelf.g, book, name: bookName(shelf.g, book) || "contacts" };
  });
  const end = () => {
    kept?.close();
    kept = undefined;
    release();
  };
  const pieces = exportCollection(g, book, name)[Symbol.asyncIterator]();
  return new Response(pieceStream(pieces, end, req.log), {
    headers: {
      "Content-Type": "text/vcard; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Disposition": disposition("attachment", `${name}.vcf`),
    },
  });
}
