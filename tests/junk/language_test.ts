/** Languages, signs, and good mail in a language that only spam had. */
import assert from "node:assert/strict";
import { JunkFilter, junkParams, messageWords } from "../../src/junk/mod.ts";
import { languageOf } from "../../src/junk/language.ts";
import { routeSigns, styleSigns } from "../../src/junk/signs.ts";

const texts: Record<string, string> = {
  en:
    "thank you for the report that we have been waiting for, it was not there and they will send it",
  de:
    "vielen dank für die nachricht, ich habe sie auch nicht bekommen und werde mich bei dem chef melden",
  fr:
    "bonjour, nous vous envoyons les documents pour la réunion, que vous avez demandés avec votre lettre",
  es: "hola, muchas gracias por los documentos que nos enviaste para la reunión, esta muy bien",
  it:
    "ciao, grazie per i documenti che non sono nella lettera, anche questo è come una prova della cosa",
  nl:
    "bedankt voor het bericht, wij hebben het niet ontvangen maar zijn er graag bij met een antwoord",
  ru: "спасибо что вы были у нас, если это уже не так, как вы думали, мы это изменим для вас",
};
const wordsOf = (text: string) =>
  messageWords({ headers: [], texts: [{ html: false, text }] }, junkParams());

Deno.test("the language is told by small words or by the script", () => {
  for (const [language, text] of Object.entries(texts)) {
    assert.equal(languageOf(wordsOf(text), text), language);
    assert.ok(wordsOf(text).has(`lang:${language}`));
  }
  const japanese = "ご連絡ありがとうございます。資料をお送りします。";
  assert.equal(languageOf(wordsOf(japanese), japanese), "ja");
  for (const none of ["", "ok", "12345 67890", "lorem ipsum dolor sit amet"]) {
    assert.equal(languageOf(wordsOf(none), none), undefined);
  }
});

Deno.test("a good message in a language that only spam had is not junk; spam in a known language is", async () => {
  const dir = await Deno.makeTempDir();
  const f = await JunkFilter.open(dir);
  try {
    for (let i = 0; i < 80; i++) {
      f.train(true, wordsOf(`${texts.en} meeting project budget number ${i % 9}`));
      f.train(false, wordsOf(`${texts.de} kredit gewinn sofort klicken angebot ${i % 9}`));
      f.train(false, wordsOf(`${texts.en} pills casino winner click offer ${i % 9}`));
    }
    await f.flush();
    const german = f.classify(wordsOf(`${texts.de} wir sehen uns am montag zum essen`));
    assert.ok(german.probability <= 0.6, `${german.probability}`);
    const english = f.classify(wordsOf(`${texts.en} pills casino winner click offer`));
    assert.ok(english.probability > 0.8, `${english.probability}`);
    // When good mail in it has come, its words count as any others.
    for (let i = 0; i < 3; i++) f.train(true, wordsOf(`${texts.de} montag essen termin ${i}`));
    const spam = f.classify(wordsOf(`${texts.de} kredit gewinn sofort klicken angebot`));
    assert.ok(spam.probability > 0.8, `${spam.probability}`);
  } finally {
    await f.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("how a message came and how it is written are signs", () => {
  assert.deepEqual(
    routeSigns(["from a.mail.example ([192.0.2.1]) by mx.ours.example with ESMTP id 1", "from x"]),
    ["hops:2", "rcvd:mail.example", "rcvd:ours.example", "rcvd:esmtp", "ip:192.0"],
  );
  assert.deepEqual(routeSigns([]), []);
  assert.deepEqual(styleSigns("WIN $ 500 NOW!!! CLICK HERE 100%\n> quoted\n-- \nme"), [
    "text:money",
    "text:percent",
    "text:quote",
    "text:signature",
    "text:capitals2",
    "text:exclamations2",
  ]);
  assert.deepEqual(styleSigns("plain words"), []);
});

Deno.test("recipients and Reply-To of a mailing list are no words", () => {
  const headers = (list: boolean): [string, string][] => [
    ["To", "announce@lists.example"],
    ["Reply-To", "announce@lists.example"],
    ["Subject", "offer"],
    ...(list ? [["List-Id", "<announce.lists.example>"] as [string, string]] : []),
  ];
  const count = (
    list: boolean,
  ) =>
    [...messageWords({ headers: headers(list), texts: [] }, junkParams())]
      .filter((w) => !w.startsWith("idhost:"));
  assert.ok(count(false).includes("to:announce"));
  assert.deepEqual(count(true), ["subject:offer"]);
});
