/**
 * HTML of a message made harmless: no scripts, no forms, no frames, nothing that is loaded from elsewhere
 * unless the reader asks for it.
 *
 * This is the first of three walls: the answer's Content-Security-Policy would let nothing run or load
 * either, and the page shows it in a sandboxed frame.
 *
 * @module
 */
import untyped from "sanitize-html";
import { safeStyle, safeStyleSheet } from "./css.ts";

/** What is used of the package, which has no types of its own. */
const sanitizeHtml = untyped as (html: string, options: {
  allowedTags: string[];
  nonTextTags: string[];
  allowedAttributes: Record<string, string[]>;
  allowedSchemesAppliedToAttributes?: string[];
  allowVulnerableTags?: boolean;
  parseStyleAttributes: false;
  disallowedTagsMode?: "discard";
  nestingLimit?: number;
  textFilter?: (text: string) => string;
  transformTags?: Record<
    string,
    (
      tagName: string,
      attribs: Record<string, string>,
    ) => { tagName: string; attribs: Record<string, string> }
  >;
}) => string;

/** Characters of HTML that are shown; more is cut off. */
const maxHtml = 5_000_000;
/** Characters of data: URLs that are kept, all together. */
const maxData = 30_000_000;

const tags =
  ("a abbr acronym address article aside b bdi bdo big blockquote body br caption center cite " +
    "code col colgroup dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 " +
    "header hr i img ins kbd li main mark menu nav ol p pre q rp rt ruby s samp section small span strike " +
    "strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr").split(" ");

/** Elements that go with all that is in them. */
const dropped =
  ("script style textarea option xmp noscript title iframe frameset frame noframes noembed " +
    "object applet embed svg math template select button audio video canvas map dialog portal plaintext " +
    "listing xml").split(" ");

const attributes =
  ("style class id dir lang title align valign width height bgcolor color border cellpadding cellspacing " +
    "background face size span colspan rowspan nowrap start type reversed value hspace vspace scope abbr " +
    "datetime open role").split(" ");

export interface SanitizeOptions {
  /** Keep addresses of pictures elsewhere (http: and https:). */
  external: boolean;
  /** What is loaded for `cid:` and a Content-ID; undefined if there is no such part. */
  inline: (contentId: string) => string | undefined;
}

export interface Sanitized {
  html: string;
  /** Addresses elsewhere that the message would load, kept or not. */
  external: number;
}

/** An address as a browser takes it: without blanks around it and controls in it. */
function plainUrl(url: string): string {
  // deno-lint-ignore no-control-regex
  return url.replace(/[\u0000-\u001f\u007f]/g, "").trim();
}

const safeData =
  /^data:image\/(?:png|jpeg|jpg|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon);base64,/i;

/** Addresses that a link may lead to; undefined for others. */
function linkUrl(url: string): string | undefined {
  const plain = plainUrl(url);
  if (/^#[\w.:-]*$/.test(plain)) return plain;
  if (!/^(?:https?:|mailto:|tel:)/i.test(plain)) return undefined;
  const parsed = URL.parse(plain);
  if (parsed === null || !["http:", "https:", "mailto:", "tel:"].includes(parsed.protocol)) {
    return undefined;
  }
  return parsed.href;
}

/** Makes HTML harmless. Total: any text gives a result. */
export function sanitizeMessageHtml(html: string, o: SanitizeOptions): Sanitized {
  let external = 0;
  let data = 0;
  const resource = (url: string): string | undefined => {
    const plain = plainUrl(url);
    if (/^cid:/i.test(plain)) {
      let id = plain.slice(4);
      try {
        id = decodeURIComponent(id);
      } catch {
        // As it is, then.
      }
      const found = o.inline(id);
      if (found !== undefined && (data += found.length) > maxData) return undefined;
      return found;
    }
    if (safeData.test(plain)) {
      data += plain.length;
      return data > maxData ? undefined : plain.replace(/[^\w+/=:;,.-]/g, "");
    }
    // A browser takes backslashes for slashes.
    const at = plain.replaceAll("\\", "/");
    const parsed = URL.parse(at.startsWith("//") ? `https:${at}` : at);
    if (parsed === null || !["http:", "https:"].includes(parsed.protocol)) return undefined;
    external++;
    return o.external ? parsed.href : undefined;
  };
  // Messages have the same few styles again and again.
  const known = new Map<string, string>();
  const styleOf = (css: string): string => {
    const seen = css.includes("(") ? undefined : known.get(css);
    if (seen !== undefined) return seen;
    const style = safeStyle(css, resource);
    if (known.size < 1000) known.set(css, style);
    return style;
  };
  const text = html.slice(0, maxHtml).toWellFormed();
  const styles = /<style/i.test(text) ? styleSheets(text) : [];
  const css = styles.map((s) => safeStyleSheet(s, resource)).join("");
  const body = sanitizeHtml(text, {
    allowedTags: tags,
    nonTextTags: dropped,
    allowedAttributes: {
      "*": attributes,
      a: ["href", "name", "target", "rel"],
      img: ["src", "alt"],
    },
    // Addresses are judged below.
    allowedSchemesAppliedToAttributes: [],
    parseStyleAttributes: false,
    disallowedTagsMode: "discard",
    nestingLimit: 400,
    transformTags: {
      "*": (tagName: string, attribs: Record<string, string>) => {
        const a: Record<string, string> = {};
        for (const [name, value] of Object.entries(attribs)) {
          if (name === "style") {
            const style = styleOf(value);
            if (style !== "") a.style = style;
          } else if (name === "background") {
            const url = resource(value);
            if (url !== undefined) a.background = url;
          } else if (name === "src" && tagName === "img") {
            const url = resource(value);
            if (url !== undefined) a.src = url;
          } else if (name === "href" && tagName === "a") {
            const url = linkUrl(value);
            if (url !== undefined) a.href = url;
          } else if (name === "srcset" || name === "poster") {
            // Left out, but told: what a browser chooses from can't be shown in part.
            if (/\S/.test(value)) external++;
          } else if (name !== "target" && name !== "rel") {
            a[name] = value;
          }
        }
        if (a.href !== undefined && !a.href.startsWith("#")) {
          a.target = "_blank";
          a.rel = "noopener noreferrer nofollow";
          // Where it really leads, whatever its text says.
          a.title = a.href;
        }
        return { tagName: tagName === "body" ? "div" : tagName, attribs: a };
      },
    },
  });
  return { html: css === "" ? body : `<style>${css}</style>${body}`, external };
}

/** Texts of the style elements. */
function styleSheets(html: string): string[] {
  const found = sanitizeHtml(html, {
    allowedTags: ["style"],
    allowedAttributes: {},
    allowVulnerableTags: true,
    nonTextTags: dropped.filter((t) => t !== "style"),
    textFilter: () => "",
    parseStyleAttributes: false,
  });
  return found.split("</style>").slice(0, -1).map((s) => s.slice(s.indexOf("<style>") + 7));
}
