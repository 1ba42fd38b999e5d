"""From a message to the bytes that a mail server takes: headers that no name can break, and the report in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from templates.formats import name
from templates.message import Message

# Seven bits: no relay on the way may have to change a byte.
POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Thread:
    """What identifies the e-mails about one night to one audience: the same night and revision, the same id."""

    company: str
    night: str
    audience: str
    sender: str

    def message_id(self, issue: str) -> str:
        """The Message-ID of an issue of the night; equal for every attempt and every recipient."""
        identity = f"{self.company}\n{self.night}\n{self.audience}\n{issue}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        return f"<{self.night}.{issue}.{self.audience}.{digest}@{self.sender.rpartition('@')[2]}>"


def enveloped(
    message: Message,
    thread: Thread,
    issue: str,
    *,
    to: Sequence[str],
    sent_at: datetime,
    files: Mapping[str, bytes],
) -> bytes:
    """The whole e-mail: plain text, HTML, and the report where it is attached."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = Address(display_name=f"{name(thread.company)} · Trisect", addr_spec=thread.sender)
    mail["To"] = [Address(addr_spec=address) for address in to]
    mail["Subject"] = message.subject
    mail["Date"] = sent_at
    mail["Message-ID"] = thread.message_id(issue)
    if issue.startswith("r") and issue != "r1":
        mail["References"] = thread.message_id("r1")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    for file, content in files.items():
        mail.add_attachment(content, maintype="application", subtype="pdf", filename=file)
    return mail.as_bytes()
