/** The table of methods: from a checked request to an answer. @module */
import * as v from "valibot";
import { jsonResponse, type WebRequest } from "../http/mod.ts";
import { addressOf } from "../webmail/sending/recipients.ts";
import { requestAddress } from "./compose.ts";
import { ApiError } from "./errors.ts";
import {
  messageDelete,
  messageFlags,
  messageGet,
  messageMove,
  messagePart,
  messageRaw,
} from "./messages.ts";
import { type MethodName, methods } from "./schemas.ts";
import type { SeenRequests } from "./seen_requests.ts";
import { type Caller, send } from "./send.ts";
import type { WebApiServices } from "./services.ts";

/** A call with a known caller and a valid request. */
export interface ApiCall {
  name: MethodName;
  request: unknown;
  /** Of the request as it came in. */
  hash: string;
  req: WebRequest;
  caller: Caller;
}

type Requests = { [K in MethodName]: v.InferOutput<typeof methods[K]["request"]> };
type Table = {
  [K in MethodName]: (
    request: Requests[K],
    call: ApiCall,
    services: WebApiServices,
    seen: SeenRequests,
  ) => unknown;
};

const emailAddress = (text: string) => addressOf(requestAddress({ Address: text }));

/** The account stays open while a body is read from it. */
async function withBody(
  call: ApiCall,
  services: WebApiServices,
  fn: (release: () => void) => Response,
): Promise<Response> {
  const account = await services.accounts.open(call.caller.account.name);
  try {
    return fn(() => account.close());
  } catch (err) {
    account.close();
    throw err;
  }
}

const table: Table = {
  Send(request, call, services, seen) {
    const header = call.req.headers.get("idempotency-key") ?? "";
    const id = request.RequestID || header;
    if (id.length > 200) {
      throw new ApiError("user", "Idempotency-Key is longer than 200 characters");
    }
    const run = () => send(services, call.caller, request);
    return id === "" ? run() : seen.once(call.caller.account.name, id, call.hash, run);
  },
  SuppressionList: (_request, call, services) => ({
    Suppressions: services.queue.suppressions(call.caller.account.name).map((suppression) => ({
      ID: suppression.id,
      Created: new Date(suppression.created).toISOString(),
      Account: suppression.account,
      BaseAddress: suppression.baseAddress,
      OriginalAddress: suppression.address,
      Manual: suppression.manual,
      Reason: suppression.reason,
    })),
  }),
  async SuppressionAdd(request, call, services) {
    const added = await services.queue.suppress({
      account: call.caller.account.name,
      address: emailAddress(request.EmailAddress),
      manual: request.Manual ?? false,
      reason: request.Reason ?? "",
    });
    if (!added) throw new ApiError("alreadyPresent", "the address is on the list already");
    return {};
  },
  async SuppressionRemove(request, call, services) {
    const address = emailAddress(request.EmailAddress);
    if (!await services.queue.unsuppress(call.caller.account.name, address)) {
      throw new ApiError("notFound", "the address is not on the list");
    }
    return {};
  },
  SuppressionPresent: (request, call, services) => ({
    Present:
      services.queue.suppressed(call.caller.account.name, emailAddress(request.EmailAddress)) !==
        undefined,
  }),
  MessageGet: (request, call) => messageGet(call.caller.account, request.MsgID),
  MessageRawGet: (request, call, services) =>
    withBody(
      call,
      services,
      (release) => messageRaw(call.caller.account, request.MsgID, release, call.req.log),
    ),
  MessagePartGet: (request, call, services) =>
    withBody(
      call,
      services,
      (release) =>
        messagePart(
          call.caller.account,
          request.MsgID,
          request.PartPath ?? [],
          release,
          call.req.log,
        ),
    ),
  async MessageDelete(request, call) {
    await messageDelete(call.caller.account, request.MsgID);
    return {};
  },
  async MessageFlagsAdd(request, call) {
    await messageFlags(call.caller.account, request.MsgID, "add", request.Flags ?? []);
    return {};
  },
  async MessageFlagsRemove(request, call) {
    await messageFlags(call.caller.account, request.MsgID, "remove", request.Flags ?? []);
    return {};
  },
  async MessageMove(request, call) {
    await messageMove(call.caller.account, request.MsgID, request.DestMailboxName);
    return {};
  },
};

/** Runs a method. @throws ApiError */
export async function runMethod(
  services: WebApiServices,
  seen: SeenRequests,
  call: ApiCall,
): Promise<Response> {
  const run = table[call.name] as (
    request: unknown,
    call: ApiCall,
    s: WebApiServices,
    seen: SeenRequests,
  ) => unknown;
  const answer = await run(call.request, call, services, seen);
  if (answer instanceof Response) return answer;
  // An invalid answer is a mistake of ours, and must not reach a program as if it were valid.
  return jsonResponse(200, v.parse(methods[call.name].response!, answer));
}
