/**
 * The page's texts in the reader's language. Texts in the code are English, and are the keys of the catalogues in
 * `webmail/languages`; texts missing from a catalogue stay English.
 *
 * @module
 */

/** Translations by English text. Plural forms are separated by "|", in the order of `pluralOrder`. */
export type Catalogue = Readonly<Record<string, string>>;

/** All plural categories (Unicode TR 35), in the order in which a catalogue has those of its language. */
export const pluralOrder = ["zero", "one", "two", "few", "many", "other"] as const;

let catalogue: Catalogue = {};
let language: string | undefined;
let rules = new Intl.PluralRules();
let categories: readonly string[] = [];

/** Sets the language, before any text is made. undefined: English, with the browser's dates and numbers. */
export function setLanguage(tag: string | undefined, texts: Catalogue): void {
  catalogue = texts;
  language = tag;
  rules = new Intl.PluralRules(tag ?? "en");
  const has = new Set<string>(rules.resolvedOptions().pluralCategories);
  categories = pluralOrder.filter((c) => has.has(c));
}
setLanguage(undefined, {});

/** The locale for dates and numbers; undefined for the browser's. */
export function locale(): string | undefined {
  return language;
}

const own = (key: string): string | undefined =>
  Object.hasOwn(catalogue, key) ? catalogue[key] : undefined;

/** A text. `{0}`, `{1}`, … are replaced by the values. */
export function t(text: string, ...values: readonly (string | number)[]): string {
  const found = own(text) ?? text;
  return values.length === 0
    ? found
    : found.replace(/\{(\d)\}/g, (whole, n) => String(values[Number(n)] ?? whole));
}

/** A text with a count, `{0}`, in the plural form that fits it. Its key is `one|many`. */
export function plural(n: number, one: string, many: string): string {
  const number = new Intl.NumberFormat(language).format(n);
  const forms = own(`${one}|${many}`)?.split("|");
  const form = forms?.[categories.indexOf(rules.select(n))] ?? forms?.at(-1) ??
    (n === 1 ? one : many);
  return form.replace("{0}", number);
}
