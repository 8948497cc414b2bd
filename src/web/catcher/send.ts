/** Adding a message to the caught mail by the API, as if it had arrived by SMTP. @module */
import { removeFile } from "../../platform/files.ts";
import { describeFile } from "../../store/messages/describe.ts";
import { composeRequest, requestAddress } from "../webapi/compose.ts";
import { addressOf, needsUtf8 } from "../webmail/sending/recipients.ts";
import { envelopeField, hiddenRecipients } from "./envelope.ts";
import type { SendRequest } from "./schemas.ts";
import type { CatcherServices } from "./services.ts";
import { cleanTag, tagKeyword, tagsBrought } from "./tags.ts";

type Person = SendRequest["From"];

const person = (p: Person) => requestAddress({ Name: p.Name, Address: p.Email });

/** Composes and stores a message; its id. @throws ApiError for what can't be in a message */
export async function sendMessage(
  services: CatcherServices,
  request: SendRequest,
  remoteIp: string,
): Promise<string> {
  const lists = {
    from: person(request.From),
    to: (request.To ?? []).map(person),
    cc: (request.Cc ?? []).map(person),
    bcc: (request.Bcc ?? []).map((Address) => requestAddress({ Address })),
    replyTo: (request.ReplyTo ?? []).map(person),
  };
  const all = [lists.from, ...lists.to, ...lists.cc, ...lists.bcc, ...lists.replyTo];
  const files = (request.Attachments ?? []).map((a) => ({
    Name: a.Filename,
    ContentType: a.ContentType || undefined,
    ContentID: a.ContentID || undefined,
    Data: a.Content,
  }));
  const composed = await composeRequest(
    services,
    {
      Subject: request.Subject ?? "",
      // A message without any text is valid.
      Text: request.Text || (request.HTML ? "" : " "),
      HTML: request.HTML ?? "",
      Headers: Object.entries(request.Headers ?? {}),
      InlineFiles: files.filter((f) => f.ContentID !== undefined),
      AttachedFiles: files.filter((f) => f.ContentID === undefined),
    },
    { ...lists, smtputf8: all.some(needsUtf8) },
  );
  const recipients = [...lists.to, ...lists.cc, ...lists.bcc].map(addressOf);
  try {
    const account = (await services.mail.accounts()).find((a) => a.name === services.account)!;
    const prefix = envelopeField({
      From: addressOf(lists.from),
      To: recipients.map((Address) => ({ Address })),
      Helo: "",
      RemoteIP: remoteIp,
      TLS: "",
      Username: "",
      Parameters: ["HTTP API"],
      RepairedLineEnds: false,
    });
    const description = await describeFile(composed.path);
    const { to, cc } = description.summary;
    const bcc = hiddenRecipients(recipients, [...to, ...cc]).map((address) => ({
      name: "",
      address,
    }));
    const tags = [
      ...tagsBrought(recipients, undefined, ""),
      ...(request.Tags ?? []).flatMap((t) => cleanTag(t) ?? []),
    ];
    const message = await account.deliver("Inbox", {
      file: composed.path,
      fileSynced: true,
      fileSize: composed.size,
      prefix: new TextEncoder().encode(prefix),
      description: { ...description, summary: { ...description.summary, bcc } },
      keywords: [...new Set(tags.map(tagKeyword))],
    });
    return services.mail.idOf({ account, id: message.id });
  } finally {
    removeFile(composed.path);
  }
}
