/** Contacts as files. @module */
import * as v from "valibot";
import { call } from "../../api/client.ts";
import {
  type CallResponse,
  type ContactBook,
  contactsUrl,
  ErrorAnswer,
  Upload,
  uploadUrl,
} from "../../api/mod.ts";
import { el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";

/** Imports a file of cards into a book. @throws Error worded for people */
export async function importFile(
  { id, owner }: ContactBook,
  file: File,
): Promise<CallResponse<"ContactImport">> {
  const r = await fetch(uploadUrl(file.name, "text/vcard"), {
    method: "POST",
    body: file,
    headers: { "x-mox-request": "1" },
  });
  const body: unknown = await r.json();
  const answer = v.safeParse(Upload, body);
  if (!answer.success) {
    const refused = v.safeParse(ErrorAnswer, body);
    throw new Error(
      refused.success ? refused.output.error.message : t("{0} could not be uploaded.", file.name),
    );
  }
  return await call("ContactImport", { owner, bookId: id, uploadId: answer.output.uploadId });
}

/** Saves a book as a file. */
export function exportFile({ id, owner }: ContactBook): void {
  const a = el("a", { href: contactsUrl(id, owner), download: "" });
  document.body.append(a);
  a.click();
  a.remove();
}
