/** A message with a calendar, by SMTP from elsewhere. */
import nodemailer from "nodemailer";

/** Sends a whole message, as its bytes; taken when it resolves. */
export async function sendRaw(
  port: number,
  from: string,
  to: string,
  raw: string | Uint8Array,
): Promise<void> {
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port,
    secure: false,
    ignoreTLS: true,
  });
  try {
    await transport.sendMail({ envelope: { from, to: [to] }, raw: raw as string });
  } finally {
    transport.close();
  }
}

/** Sends it; taken when it resolves. */
export async function sendMail(
  port: number,
  from: string,
  to: string,
  method: string,
  calendar: string,
): Promise<void> {
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port,
    secure: false,
    ignoreTLS: true,
  });
  try {
    await transport.sendMail({
      from,
      to,
      subject: `${method} for an event`,
      text: "see the calendar",
      icalEvent: { method, content: calendar },
    });
  } finally {
    transport.close();
  }
}
