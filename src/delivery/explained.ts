/**
 * The field X-Mox-Reason in plain words: why a message is where it is.
 *
 * @module
 */
import { wordName } from "../junk/mod.ts";
import type { Reason } from "./analysis_types.ts";

/** Why a message is where it is. */
export interface Explained {
  /** The code at the start of the field, "" if it isn't one of ours. */
  reason: string;
  /** One sentence. */
  sentence: string;
  /** The filter's score from 0 (good) to 1 (junk), if it was used. */
  score: number | undefined;
  /** Words that spoke most for good mail, and for junk. */
  good: string[];
  junk: string[];
}

const history = (what: string) =>
  `Earlier messages ${what} decided: they were marked as junk, or as not junk.`;

const sentences: Record<Reason, string> = {
  "high-rate": "Too many messages came from its network at once.",
  "list-allow": "It comes from a mailing list that a rule lets in.",
  "dmarc-policy":
    "The domain of its sender asks to refuse what it did not send, and this was not sent by it.",
  msgfromfull: history("from this address"),
  msgtofull: "You have written to this address.",
  msgfromdomain: history("from this domain"),
  msgfromorgdomain: history("from this organisation"),
  msgtodomain: "You have written to this domain.",
  msgtoorgdomain: "You have written to this organisation.",
  dkimspf: history("with the same verified domain"),
  ip1: history("from the same IP address"),
  ip2: history("from the same network"),
  ip3: history("from the networks nearby"),
  none: "Nothing was known of its sender.",
  reporting: "It is a report that was expected at this address.",
  "reputation-error": "The history of its sender could not be read.",
  "analysis-error": "It could not be judged.",
  "dns-temporary": "The domain of its sender could not be looked up.",
  "spf-policy": "The domain of its sender does not send from where this came from.",
  iprev:
    "The server that it came from has no proper name, and its history speaks mildly against it.",
  subjectpass: "Its subject has the word that its sender was asked for.",
  "give-subjectpass": "Its sender was asked to send it again with a word in the subject.",
  "junk-content": "Its words are certainly those of junk, as you have marked junk before.",
  "junk-content-strict":
    "Its words are those of junk, and it came in a way in which good mail rarely comes.",
  "junk-mailbox":
    "Its words are more those of junk than of good mail, as you have marked them before.",
  "junk-classify-error": "The junk filter could not be asked.",
  "phishing-signals":
    "Nothing is known of its sender, and several things that phishing often has were noticed.",
  "dns-blocklisted": "The server that it came from is on a block list.",
  "scanner-junk":
    "Nothing was known of its sender, and a program that looks at mail for this server took it for junk.",
  "scanner-quarantine": "A program that looks at mail for this server wants it to be set aside.",
  "no-bad-signals": "Nothing was known of its sender, and nothing spoke against it.",
};

/** Most words named on each side. */
const mostWords = 10;

/** Explains the value of the field, folded or not. Never fails, on any text. */
export function explainReason(value: string): Explained {
  const text = value.replace(/\s+/g, " ").trim().slice(0, 4000);
  const code = /^[a-z0-9-]{1,30}/.exec(text)?.[0] ?? "";
  const known = Object.hasOwn(sentences, code);
  const score = /\bspamscore ([01](?:\.\d{1,6})?)/.exec(text)?.[1];
  return {
    reason: known ? code : "",
    sentence: known ? sentences[code as Reason] : "",
    score: score === undefined ? undefined : Number(score),
    good: wordsIn(text, "(ham words: "),
    junk: wordsIn(text, "(spam words: "),
  };
}

/** The words of a list such as "(ham words: hello 0.010, subject:re 0.090)". */
function wordsIn(text: string, start: string): string[] {
  const from = text.indexOf(start);
  if (from < 0) return [];
  const end = text.indexOf(")", from);
  return text.slice(from + start.length, end < 0 ? undefined : end).split(", ").slice(0, mostWords)
    .flatMap((entry) => {
      const word = entry.slice(0, entry.lastIndexOf(" "));
      return word === "" ? [] : [wordName(word)];
    });
}
