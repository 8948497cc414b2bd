/** A Worker of worker_test.ts that is given bytes. */
import { answerRequests } from "../../src/platform/workers/worker.ts";

answerRequests((bytes: Uint8Array) => Promise.resolve(bytes.length));
