/**
 * The methods of the web API: what each takes and answers, once for checking, types and the description.
 *
 * Names are those of the original's interface, so that its clients work. Lists and texts may be null, as
 * programs in Go write empty ones.
 *
 * @module
 */
import * as v from "valibot";
import { apiErrorCodes } from "./errors.ts";

const about = <S extends v.GenericSchema>(schema: S, text: string) =>
  v.pipe(schema, v.description(text));
const optionalText = (max: number, text: string) =>
  about(v.nullish(v.pipe(v.string(), v.maxLength(max))), text);
const list = <S extends v.GenericSchema>(item: S, max: number, text: string) =>
  about(v.nullish(v.pipe(v.array(item), v.maxLength(max))), text);
const time = v.pipe(v.string(), v.maxLength(64), v.isoTimestamp());
const id = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER));
const address = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));

/** Characters of a text or HTML body; the size of the message is limited apart. */
const maxBody = 100 * 1024 * 1024;

export const NameAddress = v.strictObject({
  Name: optionalText(1000, "Name for people to read; may be empty."),
  Address: about(address, "localpart@domain"),
});

export const File = v.strictObject({
  Name: optionalText(255, "File name."),
  ContentType: optionalText(255, "Such as image/png; found by the content if left out."),
  ContentID: optionalText(255, 'By which HTML shows an inline file: src="cid:…".'),
  Data: about(v.pipe(v.string(), v.maxLength(maxBody)), "The content in base64."),
});

const outgoingMessage = {
  From: list(
    NameAddress,
    10,
    "Author; the address that logs in if left out. More than one is refused.",
  ),
  To: list(NameAddress, 1000, "Recipients that all see."),
  CC: list(NameAddress, 1000, "Further recipients that all see."),
  BCC: list(NameAddress, 1000, "Recipients that nobody sees."),
  ReplyTo: list(NameAddress, 100, "Where answers are to go, in place of From."),
  MessageID: optionalText(500, "<unique@domain>; made if left out."),
  References: list(
    v.pipe(v.string(), v.maxLength(500)),
    100,
    "Message-IDs of the messages before it in the thread, the last the one that it answers.",
  ),
  Date: about(v.nullish(time), "Time in the header; now if left out."),
  Subject: optionalText(10_000, "Subject."),
  Text: optionalText(maxBody, "Text body."),
  HTML: optionalText(maxBody, "HTML body; with a text body, clients choose."),
};

export const SendRequest = v.strictObject({
  ...outgoingMessage,
  Extra: about(
    v.nullish(
      v.record(v.pipe(v.string(), v.maxLength(200)), v.pipe(v.string(), v.maxLength(10_000))),
    ),
    "Kept with the message in the queue, and given to webhooks.",
  ),
  Headers: list(
    v.tuple([v.pipe(v.string(), v.maxLength(100)), v.pipe(v.string(), v.maxLength(10_000))]),
    100,
    "Further header fields, as pairs of name and value.",
  ),
  AlternativeFiles: list(File, 100, "Other forms of the body, such as text/calendar."),
  InlineFiles: list(File, 100, "Files that HTML shows."),
  AttachedFiles: list(File, 100, "Attachments."),
  RequireTLS: about(
    v.nullish(v.boolean()),
    "true: only over verified TLS to servers that keep to that (RFC 8689); false: rather in plain text than not at all.",
  ),
  FutureRelease: about(v.nullish(time), "Not to be sent before; within 60 days."),
  SaveSent: about(v.nullish(v.boolean()), "Keep a copy in the Sent mailbox."),
  Fields: about(
    v.nullish(
      v.record(v.pipe(v.string(), v.maxLength(100)), v.pipe(v.string(), v.maxLength(100_000))),
    ),
    "Values for {{name}} in Subject, Text and HTML (escaped there). Without it, braces are left as they are.",
  ),
  RequestID: optionalText(
    200,
    "Chosen by the client: the same call again within a day gets the first one's answer and sends nothing. " +
      "The header field Idempotency-Key says the same.",
  ),
});
export type SendRequest = v.InferOutput<typeof SendRequest>;

const Submission = v.object({
  Address: v.string(),
  QueueMsgID: about(v.number(), "Id of the recipient in the queue, as webhooks tell it."),
  FromID: about(
    v.string(),
    "Unique id in the sender's address; empty without FromIDLoginAddresses.",
  ),
});
const SendResult = v.object({
  MessageID: about(v.string(), "With <>."),
  Submissions: v.array(Submission),
});

const Suppression = v.object({
  ID: v.number(),
  Created: v.string(),
  Account: v.string(),
  BaseAddress: about(v.string(), "What is compared: lower case, without what follows a +."),
  OriginalAddress: v.string(),
  Manual: v.boolean(),
  Reason: v.string(),
});

const answeredAddress = v.object({ Name: v.string(), Address: v.string() });
/** What is told of a message's header and body. */
export const messageEntries = {
  From: v.array(answeredAddress),
  To: v.array(answeredAddress),
  CC: v.array(answeredAddress),
  BCC: v.array(answeredAddress),
  ReplyTo: v.array(answeredAddress),
  MessageID: v.string(),
  References: v.array(v.string()),
  Date: v.nullable(v.string()),
  Subject: v.string(),
  Text: v.string(),
  HTML: v.string(),
};

export interface Structure {
  ContentType: string;
  ContentTypeParams: Record<string, string>;
  ContentID: string;
  ContentDisposition: string;
  Filename: string;
  DecodedSize: number;
  Parts: Structure[];
}
export const Structure: v.GenericSchema<Structure> = v.object({
  ContentType: v.string(),
  ContentTypeParams: v.record(v.string(), v.string()),
  ContentID: v.string(),
  ContentDisposition: v.string(),
  Filename: v.string(),
  DecodedSize: v.number(),
  Parts: v.array(v.lazy(() => Structure)),
});

const Meta = v.object({
  Size: v.number(),
  DSN: about(v.boolean(), "A report of delivery."),
  Flags: v.array(v.string()),
  MailFrom: v.string(),
  MailFromValidated: v.boolean(),
  MsgFrom: v.string(),
  MsgFromValidated: v.boolean(),
  RcptTo: v.string(),
  DKIMVerifiedDomains: v.array(v.string()),
  RemoteIP: v.string(),
  MailboxName: v.string(),
});

const nothing = v.object({});
const oneMessage = { MsgID: about(id, "Id of the message, as webhooks tell it.") };
const flags = list(
  v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  100,
  "System flags such as \\Seen and $Junk, or keywords.",
);
const oneAddress = v.strictObject({ EmailAddress: address });

/** A method: POST to its name. */
export interface Method {
  summary: string;
  request: v.GenericSchema;
  /** Undefined for one that answers with bytes. */
  response: v.GenericSchema | undefined;
  /** Takes files in multipart/form-data. */
  files?: true;
}

export const methods = {
  Send: {
    summary: "Compose a message and put it into the queue",
    request: SendRequest,
    response: SendResult,
    files: true,
  },
  SuppressionList: {
    summary: "List the addresses that are not written to",
    request: v.strictObject({}),
    response: v.object({ Suppressions: v.array(Suppression) }),
  },
  SuppressionAdd: {
    summary: "Write no more to an address",
    request: v.strictObject({
      EmailAddress: address,
      Manual: v.nullish(v.boolean()),
      Reason: optionalText(1000, "Why, for people to read."),
    }),
    response: nothing,
  },
  SuppressionRemove: {
    summary: "Write to an address again",
    request: oneAddress,
    response: nothing,
  },
  SuppressionPresent: {
    summary: "Whether an address is not written to",
    request: oneAddress,
    response: v.object({ Present: v.boolean() }),
  },
  MessageGet: {
    summary: "Get a message, parsed",
    request: v.strictObject(oneMessage),
    response: v.object({ Message: v.object(messageEntries), Structure, Meta }),
  },
  MessageRawGet: {
    summary: "Get a message as it is",
    request: v.strictObject(oneMessage),
    response: undefined,
  },
  MessagePartGet: {
    summary: "Get a part of a message, decoded",
    request: v.strictObject({
      ...oneMessage,
      PartPath: list(
        v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
        100,
        "Indices from 0 in Parts of the structure; empty for the whole body. Files by uuencode in a text and those of " +
          "winmail.dat are parts of what they stand in.",
      ),
    }),
    response: undefined,
  },
  MessageDelete: {
    summary: "Remove a message for good",
    request: v.strictObject(oneMessage),
    response: nothing,
  },
  MessageFlagsAdd: {
    summary: "Set flags of a message",
    request: v.strictObject({ ...oneMessage, Flags: flags }),
    response: nothing,
  },
  MessageFlagsRemove: {
    summary: "Clear flags of a message",
    request: v.strictObject({ ...oneMessage, Flags: flags }),
    response: nothing,
  },
  MessageMove: {
    summary: "Move a message to another mailbox",
    request: v.strictObject({
      ...oneMessage,
      DestMailboxName: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
    }),
    response: nothing,
  },
} as const satisfies Record<string, Method>;
export type MethodName = keyof typeof methods;

export const ErrorAnswer = v.object({ Code: v.picklist(apiErrorCodes), Message: v.string() });
