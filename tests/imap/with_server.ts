/** One client that is logged in to a new server. */
import { type Client, startServer, type TestServer } from "./server.ts";

export async function withClient(
  fn: (c: Client, server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer();
  try {
    await fn(await server.client(), server);
  } finally {
    await server.stop();
  }
}
