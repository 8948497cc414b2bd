"""A milter that does what the subject of a message asks for, with pymilter; argument: where to listen."""
import sys
import Milter


class Asked(Milter.Base):
    def __init__(self):
        self.steps = []

    def connect(self, name, family, hostaddr):
        self.steps.append("connect %s %s" % (name, hostaddr[0] if hostaddr else ""))
        return Milter.CONTINUE

    def hello(self, name):
        self.steps.append("helo " + name)
        return Milter.CONTINUE

    def envfrom(self, sender, *params):
        self.recipients = []
        self.fields = []
        self.body_text = b""
        self.steps.append("mail " + sender)
        self.login = self.getsymval("{auth_authen}") or ""
        return Milter.CONTINUE

    def envrcpt(self, recipient, *params):
        if "norcpt" in recipient:
            self.setreply("550", "5.1.1", "not for this one")
            return Milter.REJECT
        self.recipients.append(recipient)
        return Milter.CONTINUE

    def header(self, name, value):
        self.fields.append((name, value))
        return Milter.CONTINUE

    def eoh(self):
        return Milter.CONTINUE

    def body(self, chunk):
        self.body_text += chunk
        return Milter.CONTINUE

    def eom(self):
        asked = dict((n.lower(), v) for n, v in self.fields).get("subject", "")
        if asked == "seen":
            self.addheader("X-Steps", "; ".join(self.steps + self.recipients + [
                "login=" + self.login,
                "id=" + str(self.getsymval("i") is not None),
                "fields=" + ",".join(n for n, v in self.fields),
                "body=%d" % len(self.body_text)]))
        elif asked == "headers":
            self.addheader("X-Added", "one\n two")
            self.addheader("X-First", "first", 0)
            self.chgheader("X-Twice", 2, "changed")
            self.chgheader("X-Gone", 1, "")
        elif asked == "body":
            self.replacebody(b"another ")
            self.replacebody(b"body\r\n")
        elif asked == "envelope":
            self.chgfrom("<other@sender.example>")
            self.addrcpt("<bob@ours.example>")
            self.addrcpt("<someone@elsewhere.example>")
            self.delrcpt("<cas@ours.example>")
        elif asked == "quarantine":
            self.quarantine("looks odd")
        elif asked == "reject":
            return Milter.REJECT
        elif asked == "tempfail":
            return Milter.TEMPFAIL
        elif asked == "discard":
            return Milter.DISCARD
        elif asked == "reply":
            self.setreply("554", "5.7.9", "first line", "second line")
            return Milter.REJECT
        elif asked == "slow":
            for _ in range(3):
                self.progress()
        return Milter.ACCEPT


Milter.factory = Asked
flags = (Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGBODY | Milter.ADDRCPT | Milter.DELRCPT |
         Milter.CHGFROM | Milter.QUARANTINE)
Milter.set_flags(flags)
Milter.runmilter("asked", sys.argv[1], 60)
