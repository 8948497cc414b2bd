/** What programs find in a message, in one form, so that it can be compared. @module */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";
import { flattenAddresses, parseAddressList } from "../../src/mail/address/address.ts";
import { headerField, splitHeader } from "../../src/mail/header/header.ts";
import { decodeWords } from "../../src/mail/header/words.ts";
import { decodeBody, fileNameOf } from "../../src/mail/structure/contents.ts";
import { leaves, parseMessage } from "../../src/mail/structure/structure.ts";

/** A part that holds something, as all programs tell it. */
export interface PartFacts {
  type: string;
  name: string;
  /** Hash of the decoded content, line ends as LF, none at the end. */
  content: string;
}

export interface Facts {
  subject: string;
  from: string[];
  to: string[];
  parts: PartFacts[];
}

export function contentHash(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n").replace(/\n+$/, "");
  return createHash("sha256").update(text, "latin1").digest("hex").slice(0, 16);
}

const squeeze = (s: string) => s.replace(/\s+/g, " ").trim();

/** What we find. */
export function ourFacts(message: Uint8Array): Facts {
  const { root } = parseMessage(message);
  const fields = splitHeader(root.header!);
  const addresses = (name: string) =>
    flattenAddresses(parseAddressList(headerField(fields, name) ?? ""))
      .map((a) => `${squeeze(a.name)} <${a.localpart}@${a.domain}>`);
  return {
    subject: squeeze(decodeWords(headerField(fields, "subject") ?? "")),
    from: addresses("from"),
    to: addresses("to"),
    parts: [...leaves(root)].map((p) => ({
      type: `${p.type}/${p.subtype}`,
      name: fileNameOf(p),
      content: contentHash(decodeBody(p, message.subarray(p.bodyOffset, p.endOffset))),
    })),
  };
}

/** Reads messages with Python's email package, all in one run. */
export async function pythonFacts(
  python: string,
  messages: readonly Uint8Array[],
): Promise<Facts[]> {
  const script = `
import sys, json, base64, hashlib, email, email.policy
def squeeze(s): return ' '.join(str(s).split())
def digest(b):
    b = b.replace(b'\\r\\n', b'\\n')
    while b.endswith(b'\\n'): b = b[:-1]
    return hashlib.sha256(b).hexdigest()[:16]
def addresses(h):
    if h is None: return []
    return [squeeze(a.display_name) + ' <' + a.username + '@' + a.domain + '>' for a in h.addresses]
for line in sys.stdin:
    m = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
    out = {'parts': []}
    try:
        out['subject'] = squeeze(m['subject'] or '')
        out['from'] = addresses(m['from'])
        out['to'] = addresses(m['to'])
    except Exception as e:
        out['error'] = repr(e)
    for p in m.walk():
        if p.is_multipart(): continue
        try: body = p.get_payload(decode=True) or b''
        except Exception as e: body = b''
        try: name = p.get_filename() or ''
        except Exception as e: name = '?'
        out['parts'].append({'type': p.get_content_type(), 'name': name, 'content': digest(body)})
    print(json.dumps(out))
`;
  const child = new Deno.Command(python, {
    args: ["-c", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const w = child.stdin.getWriter();
  await w.write(
    new TextEncoder().encode(
      messages.map((m) => `${Buffer.from(m).toString("base64")}\n`).join(""),
    ),
  );
  await w.close();
  const { stdout, stderr, success } = await output;
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n").map((l) => JSON.parse(l));
}

/** Attachments and texts as the npm programs tell them: they join texts, so only what is comparable. */
export interface ReaderFacts {
  subject: string;
  from: string;
  attachments: string[];
}

export function ourReaderFacts(message: Uint8Array): ReaderFacts {
  const f = ourFacts(message);
  return {
    subject: f.subject,
    from: f.from[0] ?? "",
    attachments: f.parts.filter((p) => p.type === "application/pdf").map((p) =>
      `${p.name} ${p.content}`
    ),
  };
}

export async function mailparserFacts(message: Uint8Array): Promise<ReaderFacts> {
  const m = await simpleParser(Buffer.from(message));
  const a = m.from?.value[0];
  return {
    subject: squeeze(m.subject ?? ""),
    from: a ? `${squeeze(a.name)} <${a.address}>` : "",
    attachments: m.attachments.filter((x) => x.contentType === "application/pdf")
      .map((x) => `${x.filename ?? ""} ${contentHash(x.content)}`),
  };
}

export async function postalMimeFacts(message: Uint8Array): Promise<ReaderFacts> {
  const m = await PostalMime.parse(message);
  return {
    subject: squeeze(m.subject ?? ""),
    from: m.from ? `${squeeze(m.from.name ?? "")} <${m.from.address}>` : "",
    attachments: m.attachments.filter((x) => x.mimeType === "application/pdf")
      .map((x) => `${x.filename ?? ""} ${contentHash(new Uint8Array(x.content as ArrayBuffer))}`),
  };
}
