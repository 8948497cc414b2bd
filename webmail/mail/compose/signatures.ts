/** Signatures under what is written, in text and in HTML. @module */
import type { Composition, Settings } from "../../api/mod.ts";
import { textHtml } from "./text_html.ts";

type Written = Pick<Composition, "text" | "html">;

/** The signature of an address, as text; "" for none. */
function signatureOf(s: Settings, address: string): string {
  const key = address.toLowerCase();
  return Object.hasOwn(s.signatures, key) ? s.signatures[key] : s.signature;
}

/** As it stands in plain text; "" for none. */
export function signatureText(s: Settings, address: string): string {
  const text = signatureOf(s, address);
  return text === "" ? "" : `-- \n${text.trimEnd()}\n`;
}

/** As it stands in rich text; "" for none. */
export function signatureHtml(s: Settings, address: string): string {
  const key = address.toLowerCase();
  const text = signatureOf(s, address);
  if (text === "") return "";
  const formatted = s.signaturesHtml[Object.hasOwn(s.signatures, key) ? key : ""];
  return `<div class="signature"><div>--&nbsp;</div>${formatted ?? textHtml(text.trimEnd())}</div>`;
}

/** A text as HTML, with the signature of an address in its formats if the text ends with it. */
export function writtenAsHtml(text: string, s: Settings, address: string): string {
  const plain = signatureText(s, address);
  const at = plain === "" ? -1 : text.lastIndexOf(plain);
  if (at < 0) return textHtml(text);
  const rest = text.slice(at + plain.length);
  return textHtml(text.slice(0, at)) + signatureHtml(s, address) +
    (rest.trim() === "" ? "" : textHtml(rest));
}

const words = (s: string) => s.replace(/[\s\u200b]+/g, " ").trim();

/** The same as `withSignature`, in HTML: the signature is an element of its class. */
function withHtmlSignature(html: string, s: Settings, before: string, now: string): string {
  const old = signatureHtml(s, before);
  const next = signatureHtml(s, now);
  const parse = (h: string) => new DOMParser().parseFromString(h, "text/html").body;
  const body = parse(html);
  const there = [...body.querySelectorAll("div.signature")].findLast((e) =>
    e.closest("blockquote") === null
  );
  if (there === undefined) return old === "" ? html + next : html;
  if (words(there.textContent ?? "") !== words(parse(old).textContent ?? "")) return html;
  there.outerHTML = next;
  return body.innerHTML;
}

/** What is written with the signature of another address in place of the one there is, if that is as it was. */
export function withSignature(b: Written, s: Settings, before: string, now: string): Written {
  if (b.html !== null) return { text: b.text, html: withHtmlSignature(b.html, s, before, now) };
  const [old, next] = [signatureText(s, before), signatureText(s, now)];
  const at = old === "" ? -1 : b.text.lastIndexOf(old);
  if (at >= 0) {
    return { text: b.text.slice(0, at) + next + b.text.slice(at + old.length), html: null };
  }
  return { text: old === "" && next !== "" ? `${b.text}\n\n${next}` : b.text, html: null };
}
