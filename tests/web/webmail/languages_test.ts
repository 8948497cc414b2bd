/** The page's texts in other languages: all of them, and in forms that fit. */
import assert from "node:assert/strict";
import { plural, pluralOrder, setLanguage, t } from "../../../webmail/lib/text.ts";
import { appFiles } from "../../../src/web/pages/mod.ts";
import { languages } from "../../../webmail/api/languages.ts";
import { allKeys, pageSources } from "./catalogue_keys.ts";

const root = new URL("../../../webmail/", import.meta.url);
const catalogues: [string, Record<string, string>][] = [];
for await (const e of Deno.readDir(new URL("languages/", root))) {
  catalogues.push([
    e.name.replace(".json", ""),
    JSON.parse(await Deno.readTextFile(new URL(`languages/${e.name}`, root))),
  ]);
}
const keys = await allKeys();

Deno.test("each language that can be chosen has its catalogue, and is served", () => {
  const names = Object.keys(languages).filter((l) => l !== "en").sort();
  assert.deepEqual(catalogues.map(([name]) => name).sort(), names);
  for (const name of names) {
    const file = appFiles[`/language/${name}.json`];
    assert.deepEqual(JSON.parse(file.text), catalogues.find(([n]) => n === name)![1]);
  }
});

const places = (s: string) => [...new Set(s.match(/\{\d\}/g) ?? [])].sort();

for (const [language, texts] of catalogues) {
  Deno.test(`${language}: every text is translated, and no other`, () => {
    assert.ok(keys.length > 600);
    const missing = keys.filter((k) => !Object.hasOwn(texts, k));
    const known = new Set(keys);
    const unused = Object.keys(texts).filter((k) => !known.has(k));
    // A new text is written in these at once; in the others it is English until somebody translates it.
    const most = ["de", "ar"].includes(language) ? 0 : Math.floor(keys.length / 20);
    assert.ok(missing.length <= most, `missing: ${missing.join(" | ")}`);
    assert.ok(unused.length <= most, `not used: ${unused.join(" | ")}`);
    for (const [k, v] of Object.entries(texts)) assert.notEqual(v.trim(), "", k);
  });

  Deno.test(`${language}: values stand in all texts, plurals have the language's forms`, () => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [k, v] of Object.entries(texts)) {
      if (!k.includes("|")) {
        assert.deepEqual(places(v), places(k), k);
        assert.equal(/^ /.test(v), /^ /.test(k), k);
        assert.equal(/ $/.test(v), / $/.test(k), k);
        continue;
      }
      const forms = v.split("|");
      assert.equal(forms.length, pluralCategories.length, k);
      // Those of zero, one and two may be words.
      assert.match(forms.at(-1)!, /\{0\}/, k);
    }
  });
}

Deno.test("counts take the form that their language asks for", () => {
  const of = (language: string) => catalogues.find(([l]) => l === language)![1];
  try {
    setLanguage("ar", of("ar"));
    const forms = [0, 1, 2, 3, 11, 100].map((n) => plural(n, "{0} message", "{0} messages"));
    assert.equal(new Set(forms.map((f) => f.replace(/[\d\u0660-\u0669]+/g, "#"))).size, 5);
    assert.match(forms[1], /رسالة واحدة/);
    setLanguage("de", of("de"));
    assert.equal(plural(1, "{0} message", "{0} messages"), "1 Nachricht");
    assert.equal(plural(12_000, "{0} message", "{0} messages"), "12.000 Nachrichten");
    assert.equal(t("On {0}, {1} wrote:", "Montag", "$& {0}"), "Am Montag schrieb $& {0}:");
    assert.equal(t("what no catalogue has"), "what no catalogue has");
    assert.equal(t("constructor"), "constructor");
  } finally {
    setLanguage(undefined, {});
  }
  assert.equal(plural(1, "{0} message", "{0} messages"), "1 message");
  assert.ok(pluralOrder.length === 6);
});

/** Where texts for people stand in the code. */
const shown = new RegExp(
  String
    .raw`(?:\.(?:title|placeholder) = |\b(?:button|linkButton|notice|alertUser|openDialog|confirmDialog|promptDialog|field|unseen|checkbox)\(\s*|` +
    String.raw`(?:\btitle|"aria-label"|\bplaceholder|\btext|\bwhat|\bexplanation): )` +
    '["`]((?:[^"`\\\\\\n]|\\\\.)*)["`]',
  "g",
);

Deno.test("no text for people is in no catalogue", async () => {
  const found: string[] = [];
  for (const folder of ["mail/", "account/"]) {
    for await (const { path, source } of pageSources(new URL(folder, root))) {
      for (const m of source.matchAll(shown)) {
        const words = m[1].replace(/\$\{[^}]*\}/g, "");
        if (
          /^[A-Z]\p{L}+|\p{L}{2,} \p{L}{2,}/u.test(words) && words !== "Webmail" &&
          words !== "X-Mailer"
        ) {
          found.push(`${path.slice(path.indexOf("webmail/"))}: ${m[1]}`);
        }
      }
    }
  }
  assert.deepEqual(found, []);
});
