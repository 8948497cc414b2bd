/** Messages that scripts are tried on. */
const mime = `From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>
To: "List, The" <list@example.com>, Me <me+detail@example.com>
Cc: undisclosed-recipients:;
Subject: =?iso-8859-1?Q?Gr=FC=DFe?= aus =?utf-8?b?S8O2bG4=?=
Date: Mon, 30 Nov 2026 23:30:00 -0500
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"
X-Mailer: Test

A prologue that is of no part.
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe, with a soft=
 break and the word Saffran.
--inner
Content-Type: text/html; charset=utf-8

<html><body><p>Hello &amp; <b>bold</b> world</p></body></html>
--inner--
--outer
Content-Type: application/octet-stream; name="data.bin"
Content-Disposition: attachment; filename="data.bin"
Content-Transfer-Encoding: base64

c2VjcmV0IHdvcmRzIGluIGJhc2U2NA==
--outer
Content-Type: message/rfc822

From: inner@example.net
Subject: The inner one
Content-Type: text/plain

Text of the inner message.
--outer--
An epilogue.
`;

const list = `Return-Path: <bounce@lists.example.org>
Received: from a.example by b.example; Tue, 1 Dec 2026 10:11:12 +0100
Received: from c.example by a.example; Tue, 1 Dec 2026 09:08:07 +0000
From: Alice Example <alice@example.org>
Sender: owner@lists.example.org
To: devel@lists.example.org
Reply-To: devel@lists.example.org
Subject: [devel] Re: A patch (v2)
Date: Tue, 01 Dec 2026 10:00:00 +0100
Message-ID: <abc@example.org>
List-Id: Developers <devel.lists.example.org>
Precedence: list
X-Spam-Score: 5.25
X-Count: 1000
X-Empty:
X-Folded: one
 two
	three

See the patch.
It is 100% good.
`;

const plain = `From: joe@example.com
To: me@example.com
Subject: hello
Message-ID: <1@x>
Date: Sun, 29 Feb 2032 00:00:59 +0000

body
`;

const odd = `From: "Quoted \\"Name\\"" <"odd local"@Example.COM>, b@c.example
To: not an address
Cc: <>, ME+a+b@EXAMPLE.com
Bcc: Group: x@example.com, y@example.org;
Subject: *stars* and ?marks? [brackets] \\back
Subject: second subject
Date: not a date
Importance: HIGH

`;

const nothing = `X-Nothing: here

text
`;

export const messages: Readonly<Record<string, string>> = { mime, list, plain, odd, nothing };
