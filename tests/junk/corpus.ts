/**
 * A labelled corpus of mail, made up from a seed: the same seed gives the same messages.
 *
 * It is synthetic, so figures measured on it say how the filter copes with the properties below, not
 * what it would catch of anyone's mail. Properties:
 * - words by Zipf's law, in four made-up languages (one in Cyrillic) and one without spaces; half of
 *   each message is the language's general vocabulary, the same for ham and spam;
 * - topics with words of their own, some shared by ham and spam (invoices and phishing, newsletters
 *   and advertising), drifting: the words in use change in the course of the corpus;
 * - ham from people, who greet the owner and quote replies, and services that come back, new ones among them all the time; spam from
 *   throw-away domains, in campaigns with a text of their own, of which a quarter is spun, and which are
 *   replaced by others; one message in seven of no campaign;
 * - spam hides: zero-width characters, letters of other scripts, digits for letters, tags within
 *   words, salads of general words, hardly any text but a link;
 * - difficult mail of both kinds: ham of three words, advertising that was asked for, spam that talks
 *   of work and money as colleagues do.
 */
import type { LabelledMessage } from "../../src/junk/mod.ts";
import { type JunkParams, type MessageText, messageWords } from "../../src/junk/mod.ts";

/** mulberry32: small, fast, good enough. */
export function random(seed: number): () => number {
  let s = seed | 0;
  return () => {
    s = s + 0x6d2b79f5 | 0;
    let t = Math.imul(s ^ s >>> 15, 1 | s);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

const syllables: Record<string, string[]> = {
  en: "the ing er on an re con ver ment able ough st ar or pro ter com ex in sh ound ea".split(" "),
  nl: "ge ver en aar oor ijk heid sch uit een aan oog lijk van ing der ui oe stad werk".split(" "),
  de: "ung ein ver sch ich keit auf be gen über zen mäß licht er an kraft zeit grün".split(" "),
  ru: "при ста ого ние про пере ать ком раз ность вер под ель ить за ска тор мен".split(" "),
  zh: [..."的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生"],
};
const languages = Object.keys(syllables);

class Vocabulary {
  readonly words: string[] = [];
  constructor(rnd: () => number, language: string, size: number) {
    const parts = syllables[language];
    const seen = new Set<string>();
    while (this.words.length < size) {
      let w = "";
      const n = 1 + Math.floor(rnd() * 3) + (this.words.length > 200 ? 1 : 0);
      for (let i = 0; i < n; i++) w += parts[Math.floor(rnd() * parts.length)];
      if (!seen.has(w)) {
        seen.add(w);
        this.words.push(w);
      }
    }
  }
  /** A word by Zipf's law (exponent about 1), by inverting the continuous distribution. */
  zipf(rnd: () => number): string {
    const n = this.words.length;
    return this.words[Math.min(n - 1, Math.floor(Math.exp(rnd() * Math.log(n + 1))) - 1)];
  }
}

interface Topic {
  words: string[];
}

/** Words of the topic in use at a time from 0 to 1: a window that moves through its list. */
function topicWord(t: Topic, rnd: () => number, time: number): string {
  const n = t.words.length, window = Math.floor(n / 2);
  const rank = Math.floor(Math.exp(rnd() * Math.log(window + 1))) - 1;
  return t.words[(Math.floor(time * (n - window)) + rank) % n];
}

interface Sender {
  from: string;
  language: string;
  topic: number;
  host: string;
  /** A person, whom the owner answers, and who quotes those answers; otherwise a service. */
  person: boolean;
  signature: string;
}

/** A message of the corpus, before its words are taken. */
export interface CorpusMessage {
  name: string;
  ham: boolean;
  received: number;
  kind: string;
  message: MessageText;
}

/** Makes a corpus; half of it is spam. */
export function corpus(seed: number, size: number): CorpusMessage[] {
  const rnd = random(seed);
  const pick = <T>(l: readonly T[]): T => l[Math.floor(rnd() * l.length)];
  const general: Record<string, Vocabulary> = {};
  const hamTopics: Record<string, Topic[]> = {}, spamTopics: Record<string, Topic[]> = {};
  for (const l of languages) {
    general[l] = new Vocabulary(rnd, l, l === "zh" ? 3000 : 8000);
    const topics = (n: number, jargon: Vocabulary) =>
      Array.from({ length: n }, () => ({
        // Two words in three are jargon of the kind of mail, the others are of the language.
        words: Array.from(
          { length: 400 },
          (_, i) => i % 3 === 0 ? pick(general[l].words.slice(300)) : pick(jargon.words),
        ),
      }));
    hamTopics[l] = topics(12, new Vocabulary(rnd, l, 2500));
    spamTopics[l] = topics(10, new Vocabulary(rnd, l, 1200));
    // Invoices and phishing, newsletters and advertising: half of their words are the same.
    for (const i of [0, 1, 2]) {
      const shared = hamTopics[l][i].words;
      spamTopics[l][i].words = spamTopics[l][i].words.map((w, j) => j % 2 === 0 ? shared[j] : w);
    }
  }
  const name = (l: string) => general[l === "ru" || l === "zh" ? "en" : l].zipf(rnd);
  const newSender = (): Sender => {
    // The owner of the account reads three languages, and rarely gets mail in others.
    const roll = rnd();
    const language = roll < 0.55
      ? "en"
      : roll < 0.85
      ? "nl"
      : roll < 0.998
      ? "de"
      : pick(languages);
    const host = `${name(language)}${name(language)}.example`;
    return {
      from: `${name(language)} ${name(language)} <${name(language)}@${host}>`,
      language,
      topic: Math.floor(rnd() * 12),
      host,
      person: rnd() < 0.6,
      signature: `${name(language)} ${name(language)} ${general[language].zipf(rnd)}`,
    };
  };
  const senders = Array.from({ length: 60 }, newSender);
  const ownerName = ["Willemijn", "Achterberg", "Zandkade"];
  const newCampaign = () => {
    const language = rnd() < 0.8 ? "en" : pick(languages);
    return {
      language,
      topic: Math.floor(rnd() * 10),
      phrases: Array.from({ length: 12 }, () => pick(spamTopics[language][0].words)),
      template: "",
      host: `${name("en")}${Math.floor(rnd() * 90) + 10}.example`,
    };
  };
  let campaigns = Array.from({ length: 15 }, newCampaign);

  const sentence = (l: string, topic: Topic, share: number, n: number, time: number): string => {
    const words: string[] = [];
    for (let i = 0; i < n; i++) {
      words.push(rnd() < share ? topicWord(topic, rnd, time) : general[l].zipf(rnd));
    }
    return words.join(l === "zh" ? "" : " ");
  };
  const hide = (w: string): string => {
    const at = 1 + Math.floor(rnd() * Math.max(1, w.length - 1));
    switch (Math.floor(rnd() * 4)) {
      case 0:
        return `${w.slice(0, at)}\u200b${w.slice(at)}`;
      case 1:
        return w.replaceAll("a", "а").replaceAll("e", "е");
      case 2:
        return w.replaceAll("i", "1").replaceAll("o", "0");
      default:
        return w;
    }
  };

  const messages: CorpusMessage[] = [];
  for (let i = 0; i < size; i++) {
    const time = i / size;
    const received = 1_700_000_000_000 + i * 600_000;
    if (i % 2 === 0) {
      if (rnd() < 0.02) senders.push(newSender());
      if (rnd() < 0.004) campaigns = campaigns.map((c) => rnd() < 0.5 ? c : newCampaign());
      const s = rnd() < 0.04 ? newSender() : pick(senders);
      const topic = hamTopics[s.language][s.topic];
      const short = rnd() < 0.06;
      const body = short
        ? sentence(s.language, topic, 0.3, 3 + Math.floor(rnd() * 5), time)
        : sentence(s.language, topic, 0.35, 40 + Math.floor(rnd() * 260), time);
      const advertising = s.topic < 3 && !short && rnd() < 0.5;
      // People greet the owner by name and quote what the owner wrote.
      const greeting = s.person && rnd() < 0.7 ? `${ownerName[0]},\n` : "";
      const quoted = s.person && !short && rnd() < 0.5
        ? `> ${sentence(s.language, hamTopics[s.language][11], 0.4, 30, time)}\n> ${
          ownerName.join(" ")
        }\n`
        : "";
      const text = `${greeting}${quoted}${body}\n${
        advertising ? sentence(s.language, spamTopics[s.language][1], 0.5, 25, time) : ""
      }\n-- \n${s.signature}\n${rnd() < 0.4 ? `https://www.${s.host}/x` : ""}`;
      messages.push({
        name: `ham-${i}`,
        ham: true,
        received,
        kind: short ? "short" : advertising ? "advertising" : "normal",
        message: {
          headers: [
            ["From", s.from],
            ["To", "me <me@home.example>"],
            ["Subject", sentence(s.language, topic, 0.5, 5, time)],
          ],
          texts: advertising
            ? [{ html: false, text }, { html: true, text: `<p>${text}</p>` }]
            : [{ html: false, text }],
        },
      });
      continue;
    }
    const c = rnd() < 0.85 ? pick(campaigns) : newCampaign();
    const topic = spamTopics[c.language][c.topic];
    const roll = rnd();
    const kind = roll < 0.08
      ? "link only"
      : roll < 0.2
      ? "salad"
      : roll < 0.4
      ? "hidden"
      : "normal";
    let body = kind === "link only"
      ? sentence(c.language, topic, 0.6, 6, time)
      : sentence(c.language, topic, 0.4, 20 + Math.floor(rnd() * 60), time);
    if (kind !== "link only") {
      // What a campaign says is the same in all its messages but for a part that is spun.
      c.template ||= sentence(c.language, topic, 0.5, 60 + Math.floor(rnd() * 60), time);
      body += ` ${
        c.template.split(" ").map((w) => rnd() < 0.25 ? general[c.language].zipf(rnd) : w).join(" ")
      }`;
    }
    if (kind === "hidden") body = body.split(" ").map((w) => rnd() < 0.4 ? hide(w) : w).join(" ");
    if (kind === "salad") body += `\n${sentence(c.language, topic, 0, 150, time)}`;
    body += ` ${pick(c.phrases)} ${pick(c.phrases)}`;
    const html = rnd() < 0.7;
    const target = `http://${rnd() < 0.6 ? c.host : `${name("en")}${name("en")}.example`}/${i}`;
    messages.push({
      name: `spam-${i}`,
      ham: false,
      received,
      kind,
      message: {
        headers: [
          ["From", `${name("en")} <${name("en")}@${name("en")}${Math.floor(rnd() * 100)}.example>`],
          ["To", rnd() < 0.6 ? "me@home.example" : `${name("en")}@home.example`],
          ["Subject", sentence(c.language, topic, 0.6, 5, time)],
        ],
        texts: [
          html
            ? {
              html: true,
              text: `<html><style>x{}</style><body><p>${
                body.replaceAll("er", "<b></b>er")
              }</p><a href="${target}">${pick(c.phrases)}</a></body>`,
            }
            : { html: false, text: `${body}\n${target}` },
        ],
      },
    });
  }
  return messages;
}

/** The corpus as the evaluation takes it. */
export function labelled(
  messages: readonly CorpusMessage[],
  params: JunkParams,
): LabelledMessage[] {
  return messages.map((m) => ({
    name: `${m.name} ${m.kind}`,
    ham: m.ham,
    received: m.received,
    words: () => messageWords(m.message, params),
  }));
}
