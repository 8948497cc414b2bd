/**
 * The page's language: the reader's choice, or the browser's. It is known before any text is made, as the browser
 * stores the catalogue; for a language that the browser hasn't stored, the catalogue is loaded and the page reloads.
 *
 * @module
 */
import { type Language, languages } from "../api/languages.ts";
import { type Catalogue, setLanguage } from "./text.ts";

/** What can be chosen; "auto" follows the browser. */
export type LanguageChoice = Language | "auto";

const rightToLeft: ReadonlySet<string> = new Set(["ar"]);
const choiceKey = "mox-language";
const textsKey = "mox-language-texts";

interface Kept {
  name: string;
  texts: Catalogue;
}

const isLanguage = (name: string): name is Language => Object.hasOwn(languages, name);

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Returns whether the browser stored it. */
function store(key: string, value: string): boolean {
  try {
    localStorage.setItem(key, value);
    return localStorage.getItem(key) === value;
  } catch {
    return false;
  }
}

/** The language that the reader wants, and the locale for dates. */
function wanted(): { name: Language; tag: string | undefined } {
  const choice = stored(choiceKey) ?? "auto";
  if (isLanguage(choice)) {
    const tag = navigator.languages.find((l) => l.split("-", 1)[0] === choice);
    return { name: choice, tag: tag ?? choice };
  }
  for (const tag of navigator.languages) {
    const name = tag.split("-", 1)[0].toLowerCase();
    // Simplified characters don't serve readers of traditional ones.
    if (name === "zh" && /-(?:hant|tw|hk|mo)\b/i.test(tag)) continue;
    if (isLanguage(name)) return { name, tag: name === "en" ? undefined : tag };
  }
  return { name: "en", tag: undefined };
}

function kept(): Kept | undefined {
  try {
    const value: Kept = JSON.parse(stored(textsKey) ?? "");
    return typeof value.name === "string" && typeof value.texts === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The language of the page. */
let shown: Language = "en";

function begin(): void {
  const { name, tag } = wanted();
  const k = kept();
  const there = name === "en" || k?.name === name;
  shown = there ? name : "en";
  setLanguage(there ? tag : undefined, name === "en" ? {} : k?.name === name ? k.texts : {});
  document.documentElement.lang = shown;
  document.documentElement.dir = rightToLeft.has(shown) ? "rtl" : "ltr";
}
begin();

/** Loads the server's catalogue. Never resolves if the page reloads for it. */
export async function loadLanguage(): Promise<void> {
  const { name } = wanted();
  if (name === "en") return;
  try {
    const r = await fetch(`language/${name}.json`, { cache: "no-cache" });
    if (!r.ok) return;
    const texts: Catalogue = await r.json();
    const isKept = store(textsKey, JSON.stringify({ name, texts }));
    if (shown === name || !isKept) return;
  } catch {
    // Without a connection the stored one is used.
    return;
  }
  location.reload();
  await new Promise(() => {});
}

/** Stores a choice. Returns whether that changes the language, so that the page must reload. */
export function chooseLanguage(choice: LanguageChoice): boolean {
  if ((stored(choiceKey) ?? "auto") !== choice && !store(choiceKey, choice)) return false;
  return wanted().name !== shown;
}
