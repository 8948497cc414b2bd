/** The links of a message's HTML and text. @module */
import { Parser } from "htmlparser2";

/** Characters of HTML searched for links. */
const maxText = 2_000_000;
/** Characters of a link that is checked; longer ones are skipped. */
const maxUrl = 4000;

/** http: and https: URLs, each once, pictures and style sheets included. */
export function linksOf(text: string, html: string): string[] {
  const found = new Set<string>();
  const add = (value: string | undefined) => {
    const url = value?.trim() ?? "";
    if (url.length <= maxUrl && /^https?:\/\//i.test(url) && URL.canParse(url)) found.add(url);
  };
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === "a" || name === "area" || name === "link") add(attributes.href);
      else add(attributes.src);
      add(attributes.background);
    },
  });
  parser.write(html.slice(0, maxText));
  parser.end();
  for (
    const [url] of text.slice(0, maxText).matchAll(
      /https?:\/\/(?:\[[\da-f:.]{2,45}\])?[^\s<>"'\]]{0,4000}/gi,
    )
  ) {
    add(url.replace(/[.,;:!?)]+$/, ""));
  }
  return [...found];
}
