/** Words for what contacts have. @module */
import type { ContactBook, ContactEntry, ContactRow } from "../../api/mod.ts";
import { t } from "../../lib/text.ts";

/** The purpose of an address or a number. */
export const kindWords: Readonly<Record<ContactEntry["kind"], string>> = {
  "": t("other"),
  home: t("home"),
  work: t("work"),
  mobile: t("mobile"),
};

/** Names of read-only fields, by property. */
export const propertyWords: Readonly<Record<string, string>> = {
  NICKNAME: t("Nickname"),
  TITLE: t("Job title"),
  ADR: t("Postal address"),
  BDAY: t("Birthday"),
  URL: t("Web page"),
};

/** A book's name; the first one has none of its own. */
export function bookTitle(book: ContactBook): string {
  const name = book.name || (book.owner === "" ? t("My contacts") : t("Contacts"));
  return book.owner === "" ? name : `${name} – ${t("address book of {0}", book.owner)}`;
}

/** What a contact is called in a list. */
export function contactTitle(c: Pick<ContactRow, "name"> & { emails: readonly string[] }): string {
  return c.name || c.emails[0] || t("(no name)");
}
