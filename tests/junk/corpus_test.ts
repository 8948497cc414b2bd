/**
 * The filter on a labelled corpus, in the order of time, at the default threshold. The corpus is made
 * up (see corpus.ts): the figures hold for it, and guard against getting worse.
 */
import assert from "node:assert/strict";
import {
  checkMessages,
  chronologicalSplit,
  defaultJunkParams,
  defaultThreshold,
  JunkFilter,
  messageWords,
  playMessages,
  trainMessages,
} from "../../src/junk/mod.ts";
import { corpus, labelled } from "./corpus.ts";

Deno.test("synthetic corpus: of the newer half, nearly no ham is refused and most spam is caught", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/split`);
    await Deno.mkdir(`${dir}/play`);
    const messages = labelled(corpus(1, 2400), defaultJunkParams);
    const split = await JunkFilter.open(`${dir}/split`);
    const { train, check } = chronologicalSplit(messages, 0.5);
    await trainMessages(split, train);
    const apart = checkMessages(split, check, defaultThreshold);
    await split.close();
    const playing = await JunkFilter.open(`${dir}/play`);
    const played = await playMessages(playing, messages, defaultThreshold, 1200);
    await playing.close();
    for (
      const [how, r] of [["train half, check half", apart], ["marked as it comes", played]] as const
    ) {
      console.log(
        `${how}: ham refused ${r.falsePositives.length} of ${r.hams}, spam caught ${
          (100 * r.caughtRate).toFixed(2)
        }% of ${r.spams}, ${r.meanMs.toFixed(2)} ms per message`,
      );
      assert.ok(r.falsePositives.length <= 3, JSON.stringify(r.falsePositives));
    }
    assert.ok(apart.caughtRate > 0.9);
    // Fisher's method is less sure on these short made-up messages than on real mail (docs/junk.md).
    assert.ok(played.caughtRate > 0.92);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a mail of 4 KB is classified in less than 2 ms, when nothing else takes the processor", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const f = await JunkFilter.open(dir);
    const messages = corpus(2, 600);
    await trainMessages(f, labelled(messages, defaultJunkParams));
    const text = messages.filter((m) => m.ham).flatMap((m) =>
      [...m.message.texts].map((t) => t.text)
    )
      .join("\n").slice(20_000, 24_000);
    const times: number[] = [];
    for (let i = 0; i < 41; i++) {
      const start = performance.now();
      f.classify(messageWords({ headers: [], texts: [{ html: false, text }] }, defaultJunkParams));
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    console.log(`least ${times[0].toFixed(3)} ms, median ${times[20].toFixed(3)} ms`);
    // On a busy machine most are held up by others, but hardly all.
    assert.ok(times[0] < 2, `${times[0]} ms`);
    await f.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
