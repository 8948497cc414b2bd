/** Fields that a message should have, and those that mail to many must have. @module */
import type { Checked, Finding } from "./types.ts";

export function checkHeader(checked: Checked): Finding[] {
  const found: Finding[] = [];
  const add = (Level: Finding["Level"], Text: string) =>
    found.push({ Area: "header", Level, Text });
  const all = (name: string) => checked.fields.filter((f) => f.name === name);
  // RFC 5322 §3.6.
  if (all("date").length !== 1) {
    add("warning", `A message has one Date, this one ${all("date").length}.`);
  }
  if (all("from").length !== 1) {
    add("warning", `A message has one From, this one ${all("from").length}.`);
  }
  if (all("message-id").length === 0) {
    add(
      "warning",
      "There is no Message-ID: answers can't refer to it, and some receivers refuse it.",
    );
  }
  for (const name of ["to", "cc", "bcc", "subject", "reply-to", "message-id"]) {
    if (all(name).length > 1) add("warning", `${name} is there ${all(name).length} times.`);
  }
  if (all("to").length + all("cc").length + all("bcc").length === 0) {
    add("note", "Neither To, Cc nor Bcc is there.");
  }
  if (checked.html !== "" && all("mime-version").length === 0) {
    add("warning", "There is no MIME-Version, without which MIME isn't in force (RFC 2045 §4).");
  }
  const unsubscribe = all("list-unsubscribe")[0]?.value ?? "";
  const oneClick = all("list-unsubscribe-post")[0]?.value ?? "";
  if (unsubscribe === "") {
    add(
      "note",
      "There is no List-Unsubscribe: Gmail and Yahoo want it in mail to many (RFC 2369).",
    );
  } else if (!/<https:/i.test(unsubscribe)) {
    add("note", "List-Unsubscribe has no https: address, so there is no one-click unsubscribing.");
  } else if (!/^\s*List-Unsubscribe=One-Click\s*$/i.test(oneClick)) {
    add("warning", "List-Unsubscribe-Post: List-Unsubscribe=One-Click is missing (RFC 8058).");
  } else add("ok", "It can be unsubscribed from by one click (RFC 8058).");
  if (!found.some((f) => f.Level === "warning")) add("ok", "All required fields are there.");
  return found;
}
