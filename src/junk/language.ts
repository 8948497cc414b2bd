/**
 * The language of a text, by the small words that are frequent in any text: enough to know whether an account
 * has received good mail in it so far.
 *
 * @module
 */

/** Words that are common in one of the languages and rare in others. */
const smallWords: Record<string, string> = {
  en: "the and you for that with this have from your are not was will would there which been they",
  de:
    "der die und das ist nicht ich sie mit auf für ein eine den dem von wir auch sich werden bitte haben",
  fr: "les des une est vous nous que pour dans pas sur avec votre qui par cette sont aux bonjour",
  es: "los las una que por con para del como pero esta usted más sobre muy nuestra gracias hola",
  it: "che non per una con del della sono gli alla anche come più questo nella grazie sei",
  pt: "que não uma com para dos das você por mais como seu sua está obrigado muito também",
  nl: "het een van niet dat zijn voor met ook wij naar deze maar worden bij jouw graag",
  pl: "nie się jest jak dla czy oraz tego przez pan jestem dziękuję przy które być",
  sv: "och att det som inte för med den till har jag ett från kan vill tack",
  da: "og det til ikke der som har med den jeg kan fra skal vil tak",
  fi: "että sekä mutta olen teidän kanssa kun myös ovat kiitos hän nyt jos",
  tr: "bir için ile olarak daha çok bu ama gibi sonra teşekkürler sizin",
  cs: "jsem není pro jako které nebo jsou také může děkuji aby však",
  ru: "что это как для или его вас мы вы был они если спасибо уже при",
  uk: "що для або його вас ми ви був вони якщо дякую вже також та",
};

const languagesOf = new Map<string, string[]>();
for (const [language, list] of Object.entries(smallWords)) {
  for (const word of list.split(" ")) {
    languagesOf.set(word, [...languagesOf.get(word) ?? [], language]);
  }
}

/** Scripts that identify a language, or nearly so. */
const scripts: [RegExp, string][] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, "ja"],
  [/\p{Script=Hangul}/u, "ko"],
  [/\p{Script=Han}/u, "zh"],
  [/\p{Script=Arabic}/u, "ar"],
  [/\p{Script=Hebrew}/u, "he"],
  [/\p{Script=Greek}/u, "el"],
  [/\p{Script=Thai}/u, "th"],
  [/\p{Script=Devanagari}/u, "hi"],
];

/** Prefix of a message's language, which is counted like a word. */
export const languageWord = "lang:";
/** All languages that can be detected. */
export const languages: readonly string[] = [
  ...Object.keys(smallWords),
  ...scripts.map(([, language]) => language),
];

/** Least number of small words of a language that must occur. */
const fewest = 3;
/** Most characters examined for the script. */
const maxSample = 4000;

/** The language of a message's words and text, such as "de"; undefined if unknown. */
export function languageOf(words: Iterable<string>, sample: string): string | undefined {
  const start = sample.slice(0, maxSample);
  for (const [script, language] of scripts) {
    const found = start.match(new RegExp(script, "gu"))?.length ?? 0;
    if (found >= 10) return language;
  }
  const counts = new Map<string, number>();
  for (const w of words) {
    for (const language of languagesOf.get(w) ?? []) {
      counts.set(language, (counts.get(language) ?? 0) + 1);
    }
  }
  const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
  if (first === undefined || first[1] < fewest) return undefined;
  return second !== undefined && second[1] === first[1] ? undefined : first[0];
}
