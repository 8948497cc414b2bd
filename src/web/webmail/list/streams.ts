/**
 * Event streams as pages ask for them: one of their own (`GET events?view=…`), or one that all pages of a browser share
 * (`GET events?shared`, EventsJoin, EventsLeave).
 *
 * @module
 */
import * as v from "valibot";
import { View } from "../../../../webmail/api/mod.ts";
import { countPanic } from "../../../metrics/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { HttpError, type WebRequest } from "../../http/mod.ts";
import type { FoundSession } from "../../login/mod.ts";
import { missing } from "../errors.ts";
import type { WebmailServices, Who } from "../services.ts";
import { EventConnection, type EventConnections } from "./event_stream.ts";
import { SharedStream, type SharedStreams } from "./shared_stream.ts";

interface Streams {
  services: WebmailServices;
  connections: EventConnections;
  shared: SharedStreams;
}

function whoOf(session: FoundSession, req: WebRequest): Who {
  return {
    account: session.account,
    loginAddress: session.login,
    sessionId: session.id,
    accountPage: req.sibling("account"),
  };
}

const logged = (req: WebRequest) => (err: unknown) => {
  countPanic("webmail");
  req.log.error("unhandled error in an event stream", { err: err as Error });
};

/** Calls back when the client is gone or the server stops; returns a function that cancels this. */
function whenOver(req: WebRequest, close: () => void): () => void {
  const signals = [req.signal, req.stopping];
  for (const s of signals) s.addEventListener("abort", close);
  return () => {
    for (const s of signals) s.removeEventListener("abort", close);
  };
}

function answer(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store" },
  });
}

/** The answer with a page's own stream, or with one to join. @param account given back by `release` */
export function eventStream(
  state: Streams,
  req: WebRequest,
  session: FoundSession,
  account: Account,
  release: () => void,
): Response {
  const { searchParams } = req.url;
  if (searchParams.has("shared")) {
    release();
    const stream = new SharedStream({ account: session.account, sessionId: session.id });
    state.shared.add(stream);
    const callOff = whenOver(req, () => stream.close());
    return answer(stream.stream(() => {
      callOff();
      state.shared.remove(stream);
    }));
  }
  let json: unknown;
  try {
    json = JSON.parse(searchParams.get("view") ?? "");
  } catch (err) {
    throw new HttpError(400, "view is not JSON", {}, { cause: err });
  }
  const view = v.safeParse(View, json);
  if (!view.success) throw new HttpError(400, `view: ${view.issues[0].message}`);
  const connection = new EventConnection(account, whoOf(session, req), state.services, view.output);
  state.connections.add(connection);
  const callOff = whenOver(req, () => connection.close());
  return answer(connection.stream(() => {
    callOff();
    state.connections.remove(connection);
    release();
  }, logged(req)));
}

/** A page joins the stream of its browser. @throws HttpError 404 if the session has no such stream */
export async function joinStream(
  state: Streams,
  req: WebRequest,
  session: FoundSession,
  r: { stream: string; page: string; view: View },
): Promise<void> {
  const found = () => {
    const s = state.shared.find({ account: session.account, sessionId: session.id }, r.stream);
    if (s === undefined) throw missing("stream");
    return s;
  };
  found();
  const account = await state.services.accounts.open(session.account);
  try {
    const stream = found();
    const connection = new EventConnection(account, whoOf(session, req), state.services, r.view);
    state.connections.add(connection);
    stream.join(
      r.page,
      connection.told(() => {
        state.connections.remove(connection);
        account.close();
      }, logged(req)),
    );
  } catch (err) {
    account.close();
    throw err;
  }
}

/** A closed page leaves the stream. */
export function leaveStream(
  state: Streams,
  session: FoundSession,
  r: { stream: string; page: string },
): void {
  state.shared.find({ account: session.account, sessionId: session.id }, r.stream)?.leave(r.page);
}
