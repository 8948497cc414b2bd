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
import { attributeColor, darkened } from "./colors.ts";
import { safeStyle, safeStyleSheet } from "./css.ts";
import { nestedTooDeep } from "./nesting.ts";

/** The used parts of the package, which has no types of its own. */
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
/** Colours of attributes that are kept as rules. */
const maxHints = 500;
const colorAttributes = [
  ["bgcolor", "background-color"],
  ["text", "color"],
  ["color", "color"],
] as const;
/** Characters of data: URLs that are kept, all together. */
const maxData = 30_000_000;

const tags =
  ("a abbr acronym address article aside b bdi bdo big blockquote body br caption center cite " +
    "code col colgroup dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 " +
    "header hr html i img ins kbd li main mark menu nav ol p pre q rp rt ruby s samp section small span strike " +
    "strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr").split(" ");

/** Elements that are removed with their contents. */
const dropped =
  ("script style textarea option xmp noscript title iframe frameset frame noframes noembed " +
    "object applet embed svg math template select button audio video canvas map dialog portal plaintext " +
    "listing xml").split(" ");

const attributes =
  ("text style class id dir lang title align valign width height bgcolor color border cellpadding cellspacing " +
    "background face size span colspan rowspan nowrap start type reversed value hspace vspace scope abbr " +
    "datetime open role").split(" ");

export interface SanitizeOptions {
  /** Keep addresses of remote pictures (http: and https:). */
  external: boolean;
  /** The address to load for `cid:` and a Content-ID; undefined if there is no such part. */
  inline: (contentId: string) => string | undefined;
  /** For a dark page: colours with inverted lightness, unless the message has dark ones itself. */
  dark?: boolean;
  /** What stands before the address in links that write to one. */
  mailto?: string;
}

export interface Sanitized {
  /** The message has colours of its own for dark pages. */
  ownDark: boolean;
  html: string;
  /** Addresses elsewhere that the message would load, kept or not. */
  external: number;
}

/** An address as browsers read it: without surrounding spaces and without control characters. */
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

/** Makes HTML harmless. Total: any text yields a result. */
export function sanitizeMessageHtml(html: string, options: SanitizeOptions): Sanitized {
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
      const found = options.inline(id);
      if (found !== undefined && (data += found.length) > maxData) return undefined;
      return found;
    }
    if (safeData.test(plain)) {
      data += plain.length;
      return data > maxData ? undefined : plain.replace(/[^\w+/=:;,.-]/g, "");
    }
    // Browsers treat backslashes as slashes.
    const at = plain.replaceAll("\\", "/");
    const parsed = URL.parse(at.startsWith("//") ? `https:${at}` : at);
    if (parsed === null || !["http:", "https:"].includes(parsed.protocol)) return undefined;
    external++;
    return options.external ? parsed.href : undefined;
  };
  // Messages repeat the same few styles.
  const known = new Map<string, string>();
  const text = html.slice(0, maxHtml).toWellFormed();
  if (nestedTooDeep(text)) return { html: tooDeep, external: 0, ownDark: false };
  const styles = /<style/i.test(text) ? styleSheets(text) : [];
  const ownDark = styles.some((s) => s.includes("prefers-color-scheme"));
  const dark = options.dark === true && !ownDark;
  const page = { dark: options.dark === true, turned: dark };
  const styleOf = (css: string): string => {
    const seen = css.includes("(") ? undefined : known.get(css);
    if (seen !== undefined) return seen;
    const style = safeStyle(css, resource, page);
    if (known.size < 1000) known.set(css, style);
    return style;
  };
  const css = styles.map((s) => safeStyleSheet(s, resource, page)).join("");
  /** Rules that stand for attributes, which count less than all others, by their class. */
  const hints = new Map<string, string>();
  const hint = (rule: string) => {
    const known = hints.get(rule);
    if (known !== undefined) return known;
    if (hints.size >= maxHints) return "";
    const name = `mail-hint-${hints.size + 1}`;
    hints.set(rule, name);
    return name;
  };
  /** Attributes that a browser takes for colours, of elements that aren't what they were, or are dark now. */
  const colored = (tagName: string, a: Record<string, string>) => {
    const top = tagName === "body" || tagName === "html";
    const rules: string[] = [];
    for (const [attribute, property] of colorAttributes) {
      const value = a[attribute];
      if (value === undefined || attribute === "color" && tagName !== "font") continue;
      if (!top && !dark) continue;
      delete a[attribute];
      const color = attributeColor(value);
      if (color !== undefined) rules.push(`${property}:${dark ? darkened(color) : color}`);
    }
    if (top && a.background !== undefined) {
      rules.push(`background-image:url("${a.background.replace(/["\\\n]/g, encodeURIComponent)}")`);
      delete a.background;
    }
    const names = rules.map(hint).filter((n) => n !== "");
    if (names.length > 0) a.class = [...a.class ? [a.class] : [], ...names].join(" ");
  };
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
          } else if (name === "text" && tagName !== "body") {
            continue;
          } else if (name === "srcset" || name === "poster") {
            // Left out, but reported: a set that browsers choose from can't be shown in part.
            if (/\S/.test(value)) external++;
          } else if (name !== "target" && name !== "rel") {
            a[name] = value;
          }
        }
        if (a.href !== undefined && !a.href.startsWith("#")) {
          a.target = "_blank";
          a.rel = "noopener noreferrer nofollow";
          // The real target, whatever the text says.
          a.title = a.href;
          if (options.mailto !== undefined && a.href.startsWith("mailto:")) {
            a.href = options.mailto + encodeURIComponent(a.href);
          }
        }
        colored(tagName, a);
        if (tagName !== "body" && tagName !== "html") return { tagName, attribs: a };
        return {
          tagName: "div",
          attribs: { ...a, class: `mail-${tagName} ${a.class ?? ""}`.trim() },
        };
      },
    },
  });
  const all = [...hints].map(([rule, name]) => `:where(.${name}){${rule}}\n`).join("") + css;
  return { html: all === "" ? body : `<style>${all}</style>${body}`, external, ownDark };
}

const tooDeep = "<p>The HTML of this message is nested too deeply to be shown.</p>";

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
