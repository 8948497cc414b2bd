/** The Worker of worker_test.ts. */
import { answerRequests } from "../../src/platform/workers/worker.ts";

answerRequests(async (request: string) => {
  switch (request) {
    case "refuse":
      throw new Error("refused");
    case "break":
      // Outside of the request: an error that nobody catches ends a Worker.
      setTimeout(() => {
        throw new Error("broken");
      });
      return await new Promise(() => {});
    case "hang":
      return await new Promise(() => {});
    default:
      return request.toUpperCase();
  }
});
