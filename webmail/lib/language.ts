/**
 * The page's language: as the reader chose it, or the browser's. It is there before any text is made,
 * because the catalogue is kept in the browser; a language that is new to the browser is loaded, and the
 * page begins again.
 *
 * @module
 */
import { type Language, languages } from "../api/languages.ts";
import { type Catalogue, setLanguage } from "./text.ts";

/** What can be chosen; "auto": as the browser has it. */
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

/** Whether the browser has kept it. */
function store(key: string, value: string): boolean {
  try {
    localStorage.setItem(key, value);
    return localStorage.getItem(key) === value;
  } catch {
    return false;
  }
}

/** A language that the reader wants, and with which rules for dates. */
function wanted(): { name: Language; tag: string | undefined } {
  const choice = stored(choiceKey) ?? "auto";
  if (isLanguage(choice)) {
    const tag = navigator.languages.find((l) => l.split("-", 1)[0] === choice);
    return { name: choice, tag: tag ?? choice };
  }
  for (const tag of navigator.languages) {
    const name = tag.split("-", 1)[0].toLowerCase();
    // Who reads traditional characters is not served by simplified ones.
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

/** The language that the page is in. */
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

/** Loads the catalogue as the server has it. Never comes back if the page begins again for it. */
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
    // Without a connection it stays as it is.
    return;
  }
  location.reload();
  await new Promise(() => {});
}

/** Keeps a choice. Returns whether the page is in another language by then, and has to begin again. */
export function chooseLanguage(choice: LanguageChoice): boolean {
  if ((stored(choiceKey) ?? "auto") !== choice && !store(choiceKey, choice)) return false;
  return wanted().name !== shown;
}
