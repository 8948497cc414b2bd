/** Signatures under what is written, in text and in HTML. @module */
import type { Composition, Settings } from "../../api/mod.ts";
import { textHtml } from "./text_html.ts";

type Written = Pick<Composition, "text" | "html">;

/** The signature of an address, as text; "" for none. */
function signatureOf(settings: Settings, address: string): string {
  const key = address.toLowerCase();
  return Object.hasOwn(settings.signatures, key) ? settings.signatures[key] : settings.signature;
}

/** As it appears in plain text; "" for none. */
export function signatureText(settings: Settings, address: string): string {
  const text = signatureOf(settings, address);
  return text === "" ? "" : `-- \n${text.trimEnd()}\n`;
}

/** As it appears in rich text; "" for none. */
export function signatureHtml(settings: Settings, address: string): string {
  const key = address.toLowerCase();
  const text = signatureOf(settings, address);
  if (text === "") return "";
  const formatted = settings.signaturesHtml[Object.hasOwn(settings.signatures, key) ? key : ""];
  return `<div class="signature"><div>--&nbsp;</div>${formatted ?? textHtml(text.trimEnd())}</div>`;
}

/** A text as HTML, with the signature of an address in its formats if the text ends with it. */
export function writtenAsHtml(text: string, settings: Settings, address: string): string {
  const plain = signatureText(settings, address);
  const at = plain === "" ? -1 : text.lastIndexOf(plain);
  if (at < 0) return textHtml(text);
  const rest = text.slice(at + plain.length);
  return textHtml(text.slice(0, at)) + signatureHtml(settings, address) +
    (rest.trim() === "" ? "" : textHtml(rest));
}

const words = (s: string) => s.replace(/[\s\u200b]+/g, " ").trim();

/** The same as `withSignature`, in HTML: the signature is an element of its class. */
function withHtmlSignature(html: string, settings: Settings, before: string, now: string): string {
  const old = signatureHtml(settings, before);
  const next = signatureHtml(settings, now);
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
export function withSignature(
  written: Written,
  settings: Settings,
  before: string,
  now: string,
): Written {
  if (written.html !== null) {
    return { text: written.text, html: withHtmlSignature(written.html, settings, before, now) };
  }
  const [old, next] = [signatureText(settings, before), signatureText(settings, now)];
  const at = old === "" ? -1 : written.text.lastIndexOf(old);
  if (at >= 0) {
    return {
      text: written.text.slice(0, at) + next + written.text.slice(at + old.length),
      html: null,
    };
  }
  return {
    text: old === "" && next !== "" ? `${written.text}\n\n${next}` : written.text,
    html: null,
  };
}
