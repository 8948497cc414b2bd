/**
 * A process that delivers what is queued in a folder, for kill_test.ts, which kills it. Time passes as fast as
 * deliveries end.
 *
 * usage: kill_work.ts folder port zone [messages]
 *
 * The zone, and the recipients of each message, are JSON.
 *
 * @module
 */
import { join } from "node:path";
import { World } from "./world.ts";

const [dir, port, zone, messages] = Deno.args;
await using world = await World.make({
  dir,
  zone: JSON.parse(zone),
  onEvent(e) {
    if (e.kind === "delayed") return;
    const line = `${e.item.address} ${e.kind}\n`;
    Deno.writeTextFileSync(join(dir, "events"), line, { append: true });
  },
});
world.port = Number(port);
await world.open();
if (messages) {
  for (const to of JSON.parse(messages) as string[][]) await world.send(to);
  console.log("filled");
}
await world.queue.start();
await world.settle(10_000);
console.log(`left ${world.queue.count()}`);
