/** Generated messages, read by us and by others. @module */
import { kindOf } from "./disagreements.ts";
import {
  mailparserFacts,
  ourFacts,
  ourReaderFacts,
  postalMimeFacts,
  pythonFacts,
} from "./facts.ts";
import { generate, type Generated, randomFrom } from "./generate.ts";

/** What came of a comparison. */
export interface Comparison {
  messages: number;
  /** How often, by kind. */
  known: Map<string, number>;
  /** Disagreements of no known kind, at most 50. */
  unknown: string[];
}

/** Compares so many messages. @param python path of the interpreter; without it that comparison is left out */
export async function compareMessages(
  count: number,
  seed: number,
  python: string | undefined,
): Promise<Comparison> {
  const random = randomFrom(seed);
  const list = Array.from({ length: count }, () => generate(random));
  const r: Comparison = { messages: count, known: new Map(), unknown: [] };
  const differs = (program: string, fact: string, m: Generated, ours: unknown, theirs: unknown) => {
    const kind = kindOf(program, fact, m.odd);
    if (kind) {
      const name = `${program}: ${fact}, ${kind.odd}`;
      r.known.set(name, (r.known.get(name) ?? 0) + 1);
    } else if (r.unknown.length < 50) {
      r.unknown.push(
        `${program} ${fact}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}, odd: ${
          [...m.odd].join("; ")
        }\n${new TextDecoder().decode(m.bytes).slice(0, 3000)}`,
      );
    }
  };
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const others = python ? await pythonFacts(python, list.map((m) => m.bytes)) : [];
  for (const [i, m] of list.entries()) {
    const ours = ourFacts(m.bytes);
    const p = others[i];
    if (p) {
      for (const fact of ["subject", "from", "to"] as const) {
        if (!same(ours[fact], p[fact])) differs("python", fact, m, ours[fact], p[fact]);
      }
      const types = (f: typeof p) => f.parts.map((x) => x.type);
      if (!same(types(ours), types(p))) differs("python", "types", m, types(ours), types(p));
      else {
        for (const fact of ["name", "content"] as const) {
          const [a, b] = [ours.parts.map((x) => x[fact]), p.parts.map((x) => x[fact])];
          if (!same(a, b)) differs("python", fact, m, a, b);
        }
      }
    }
    const reader = ourReaderFacts(m.bytes);
    for (
      const [program, read] of [
        ["mailparser", mailparserFacts],
        ["postal-mime", postalMimeFacts],
      ] as const
    ) {
      const t = await read(m.bytes);
      for (const fact of ["subject", "from"] as const) {
        if (!same(reader[fact], t[fact])) differs(program, fact, m, reader[fact], t[fact]);
      }
      const names = (a: readonly string[]) => a.map((x) => x.slice(0, x.lastIndexOf(" ")));
      const [a, b] = [names(reader.attachments), names(t.attachments)];
      if (!same(a, b)) differs(program, "attachments", m, a, b);
      else if (!same(reader.attachments, t.attachments)) {
        differs(program, "content", m, reader.attachments, t.attachments);
      }
    }
  }
  return r;
}
