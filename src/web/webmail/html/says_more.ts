/** Whether the HTML of a message says more than its text: then it is what people want to see. @module */
import { htmlAsText } from "./text.ts";

/** Texts that are there only to send the reader elsewhere, in the languages that mail comes in mostly. */
const elsewhere =
  /\b(?:view|see|read|open)\b.{0,60}\b(?:web ?version|browser|online|html)\b|\bhtml[- ]?(?:version|e-?mail|fähig)|\bweb ?version\b|\b(?:im|in your|dans votre|en su|no seu|nel|w|in uw|in je) (?:browser|navigateur|navegador|przeglądarce)\b|does not support html/i;

/** Characters that are compared. */
const maxCompared = 100_000;

const words = (text: string) => text.match(/[\p{L}\p{N}]{2,}/gu) ?? [];

/** @param html sanitised */
export function saysMore(html: string, text: string): boolean {
  const body = html.slice(0, maxCompared * 4);
  if (/<table/.test(body) && /<t[dh][^>]*>[\s\S]*<t[dh]/.test(body)) return true;
  if (/<img /.test(body) && hasPicture(body)) return true;
  const plain = text.slice(0, maxCompared);
  if (plain.length < 2000 && elsewhere.test(plain)) return true;
  const here = words(plain).length;
  const there = words(htmlAsText(body).slice(0, maxCompared)).length;
  return there > here * 1.3 + 8;
}

/** Whether there is a picture that isn't one of those of a pixel that only tell the sender. */
function hasPicture(html: string): boolean {
  for (const [tag] of html.matchAll(/<img [^>]{0,4000}>/g)) {
    const tiny =
      /\b(?:width|height)="?[0-2](?:px)?"|\b(?:width|height):\s*[0-2]px|display:\s*none/i;
    if (!tiny.test(tag)) return true;
  }
  return false;
}
