/** Waiting for servers that tests start. @module */

/** Resolves when something answers there; rejects after 15 seconds. */
export async function answers(hostname: string, port: number): Promise<void> {
  const end = Date.now() + 15_000;
  for (;;) {
    try {
      (await Deno.connect({ hostname, port })).close();
      return;
    } catch (err) {
      if (Date.now() > end) throw err;
      await new Promise((r) => setTimeout(r, 50));
    }
  }
}

/** Waits until the condition holds, looking at it again and again; fails after 20 seconds. */
export async function until(condition: () => boolean, what: () => Promise<string>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`it did not come to that: ${await what()}`);
    await new Promise((r) => setTimeout(r, 20));
  }
}
