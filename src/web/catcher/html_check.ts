/**
 * Which features of a message's HTML mail programs don't support, by the data of caniemail.com.
 *
 * @module
 */
import { Parser } from "htmlparser2";
import { rareModule } from "../../platform/rare_modules.ts";

/** Takes megabytes of memory, and only developers use it. */
const supportData = rareModule<typeof import("./html_support_data.ts")>(
  new URL("./html_support_data.ts", import.meta.url),
);

/** Characters of HTML that are checked. */
const maxHtml = 2_000_000;

interface Feature {
  slug: string;
  title: string;
  description: string;
  url: string;
  category: string;
  tags: string[];
  keywords: string;
  /** By program number: newest version, and "y", "n" or "a" with the numbers of notes. */
  support: Record<string, [string, string]>;
  notes: Record<string, string>;
}

/** A mail program on a platform. */
interface Program {
  family: string;
  platform: string;
  platformName: string;
}

interface Support {
  programs: readonly Program[];
  features: ReadonlyMap<string, Feature>;
}

let loaded: Promise<Support> | undefined;

function support(): Promise<Support> {
  loaded ??= supportData().then(({ htmlSupport: { programs, features } }) => ({
    programs,
    features: new Map((features as unknown as Feature[]).map((f) => [f.slug, f])),
  }));
  // Loading is tried again.
  loaded.catch(() => loaded = undefined);
  return loaded;
}

/** Features of a document: how often each slug was seen, and its elements. */
interface Uses {
  found: Map<string, number>;
  nodes: number;
}

const elementSlugs: Record<string, string> = {
  a: "",
  h1: "html-h1-h6",
  h2: "html-h1-h6",
  h3: "html-h1-h6",
  h4: "html-h1-h6",
  h5: "html-h1-h6",
  h6: "html-h1-h6",
  ul: "html-lists",
  ol: "html-lists",
  dl: "html-lists",
  map: "html-image-maps",
  header: "html-semantics",
  footer: "html-semantics",
  article: "html-semantics",
  section: "html-semantics",
  nav: "html-semantics",
  main: "html-semantics",
  aside: "html-semantics",
  s: "html-strike",
};

/** Pseudo-classes and at-rules are searched as text, the way mail programs filter them too. */
const selectorPatterns: [RegExp, string][] = [
  [/@font-face/i, "css-at-font-face"],
  [/@import/i, "css-at-import"],
  [/@keyframes/i, "css-at-keyframes"],
  [/@supports/i, "css-at-supports"],
  [/@media[^{]*prefers-color-scheme/i, "css-at-media-prefers-color-scheme"],
  [/@media[^{]*prefers-reduced-motion/i, "css-at-media-prefers-reduced-motion"],
  [/@media[^{]*orientation/i, "css-at-media-orientation"],
  [/@media[^{]*hover/i, "css-at-media-hover"],
  [/@media[^{]*device-pixel-ratio/i, "css-at-media-device-pixel-ratio"],
  [/@media/i, "css-at-media"],
  [/!important/i, "css-important"],
  [/\/\*/, "css-comments"],
  [/var\(--/i, "css-variables"],
  [/calc\(/i, "css-unit-calc"],
  [/clamp\(/i, "css-function-clamp"],
  [/(?:^|[\s:,(])min\(/i, "css-function-min"],
  [/(?:^|[\s:,(])max\(/i, "css-function-max"],
  [/linear-gradient\(/i, "css-linear-gradient"],
  [/radial-gradient\(/i, "css-radial-gradient"],
  [/conic-gradient\(/i, "css-conic-gradient"],
  [/rgba\(/i, "css-rgba"],
  [/rgb\(/i, "css-rgb"],
  [/display\s*:\s*(?:inline-)?flex/i, "css-display-flex"],
  [/display\s*:\s*(?:inline-)?grid/i, "css-display-grid"],
  [/display\s*:\s*none/i, "css-display-none"],
];
const units = [
  "ch",
  "cm",
  "em",
  "ex",
  "in",
  "mm",
  "pc",
  "pt",
  "px",
  "rem",
  "vh",
  "vmax",
  "vmin",
  "vw",
];
const pseudo =
  /::?(active|checked|first-child|first-of-type|focus|has|hover|lang|last-child|last-of-type|link|not|nth-child|nth-last-child|nth-last-of-type|nth-of-type|only-child|only-of-type|target|visited|after|before|first-letter|first-line|marker|placeholder)\b/gi;

function usesOf(html: string, { features }: Support): Uses {
  const uses: Uses = { found: new Map(), nodes: 0 };
  const use = (slug: string, times = 1) => {
    if (features.has(slug)) uses.found.set(slug, (uses.found.get(slug) ?? 0) + times);
  };
  const declarations = (css: string) => {
    for (const [, name] of css.matchAll(/(?:^|[;{\s])([a-z-]{2,40})\s*:/gi)) {
      use(`css-${name.toLowerCase()}`);
    }
    for (const [pattern, slug] of selectorPatterns) if (pattern.test(css)) use(slug);
    for (const unit of units) {
      if (new RegExp(`\\d${unit}\\b`, "i").test(css)) use(`css-unit-${unit}`);
    }
    if (/\d%/.test(css)) use("css-unit-percent");
  };
  const sheet = (css: string) => {
    declarations(css);
    for (const [, name] of css.matchAll(pseudo)) {
      use(`css-pseudo-class-${name.toLowerCase()}`);
      use(`css-pseudo-element-${name.toLowerCase()}`);
    }
  };
  let inStyle = false;
  const parser = new Parser({
    onopentag(name, attributes) {
      uses.nodes++;
      inStyle = name === "style";
      use(elementSlugs[name] ?? `html-${name}`);
      for (const [attribute, value] of Object.entries(attributes)) {
        if (attribute === "style") {
          declarations(value);
          continue;
        }
        use(`html-${attribute}`);
        if (attribute === "href" && value.startsWith("mailto:")) use("html-mailto-links");
        if (attribute === "href" && value.startsWith("#")) use("html-anchor-links");
        if (attribute === "src") {
          if (value.startsWith("data:")) use("image-base64");
          const kind = /\.(apng|avif|bmp|gif|heif|ico|jpg|jpeg|png|svg|tiff|webp)(?:[?#]|$)/i.exec(
            value,
          )?.[1];
          if (kind) use(`image-${kind.toLowerCase().replace("jpeg", "jpg")}`);
        }
      }
      if (name === "input") use(`html-input-${(attributes.type ?? "text").toLowerCase()}`);
      if (name === "button") use(`html-button-${(attributes.type ?? "submit").toLowerCase()}`);
    },
    ontext(text) {
      if (inStyle) sheet(text);
    },
    onclosetag(name) {
      if (name === "style") inStyle = false;
    },
    oncomment() {
      use("html-comments");
    },
    onprocessinginstruction(name) {
      if (/^!doctype$/i.test(name)) use("html-doctype");
    },
  });
  parser.write(html.slice(0, maxHtml));
  parser.end();
  return uses;
}

interface Result {
  Name: string;
  Platform: string;
  Family: string;
  Version: string;
  Support: "yes" | "no" | "partial";
  NoteNumber: string;
}

function resultsOf(feature: Feature, { programs }: Support): Result[] {
  return Object.entries(feature.support).map(([program, [version, answer]]) => {
    const { family, platform, platformName } = programs[Number(program)];
    return {
      Name: `${family} ${platformName}${version === "" ? "" : ` (${version})`}`,
      Platform: platform,
      Family: family,
      Version: version,
      Support: answer.startsWith("y") ? "yes" : answer.startsWith("n") ? "no" : "partial",
      NoteNumber: /#(\d+)/.exec(answer)?.[1] ?? "",
    };
  });
}

const percent = (n: number, of: number) => of === 0 ? 0 : Math.round(n / of * 10_000) / 100;

/** Checks HTML. The totals weight each feature by how often it is used. */
export async function checkHtml(html: string) {
  const of = await support();
  const { found, nodes } = usesOf(html, of);
  const warnings = [];
  const platforms = new Map<string, Set<string>>();
  let [tests, yes, partial, no] = [0, 0, 0, 0];
  for (const [slug, times] of found) {
    const f = of.features.get(slug)!;
    const results = resultsOf(f, of);
    for (const r of results) {
      platforms.set(r.Platform, (platforms.get(r.Platform) ?? new Set()).add(r.Family));
    }
    const count = (s: Result["Support"]) => results.filter((r) => r.Support === s).length;
    const score = { yes: count("yes"), partial: count("partial"), no: count("no") };
    tests += results.length;
    yes += percent(score.yes, results.length) * times;
    partial += percent(score.partial, results.length) * times;
    no += percent(score.no, results.length) * times;
    if (score.partial + score.no === 0) continue;
    const notes = new Set(results.map((r) => r.NoteNumber).filter((n) => n !== ""));
    warnings.push({
      Slug: slug,
      Title: f.title,
      Description: f.description,
      URL: f.url,
      Category: f.category,
      Tags: f.tags,
      Keywords: f.keywords,
      Results: results.filter((r) => r.Support !== "yes"),
      NotesByNumber: Object.fromEntries(
        Object.entries(f.notes).filter(([n]) => notes.has(n)),
      ),
      Score: {
        Found: times,
        Supported: percent(score.yes, results.length),
        Partial: percent(score.partial, results.length),
        Unsupported: percent(score.no, results.length),
      },
    });
  }
  const uses = [...found.values()].reduce((a, b) => a + b, 0);
  const mean = (sum: number) => uses === 0 ? 0 : Math.round(sum / uses * 100) / 100;
  return {
    Total: {
      Tests: tests,
      Nodes: nodes,
      Supported: uses === 0 ? 100 : mean(yes),
      Partial: mean(partial),
      Unsupported: mean(no),
    },
    Warnings: warnings.sort((a, b) => b.Score.Unsupported - a.Score.Unsupported),
    Platforms: Object.fromEntries([...platforms].map(([p, f]) => [p, [...f].sort()])),
  };
}
