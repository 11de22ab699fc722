"""Microsoft's own Graph SDK against the practice tenant, for mailboxes that are not one's own.

Usage: as graph_sdk.py. What must come out is what "Send Outlook messages from another user" and "Get Outlook messages in
a shared or delegated folder" of the Graph documentation say.
Exits with 0 when a shared mailbox is read, followed and sent from with the permissions and the rights that they name,
and with none less.
"""

import asyncio
import json
import os
import sys

from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
    MessagesRequestBuilder,
)
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import (
    SendMailPostRequestBody,
)

from graph_sdk import SCOPES, check, client, immutable, token
from pages import user

SHARED = ["Mail.ReadWrite.Shared", "Mail.Send.Shared"]
INFO = "info@contoso.example"
SALES = "sales@contoso.example"


async def refused(call):
    """Status and code of a refusal."""
    try:
        await call
    except ODataError as refusal:
        return refusal.response_status_code, refusal.error.code
    return 200, None


def letter(subject, to, author=None):
    message = Message(
        subject=subject,
        body=ItemBody(content_type=BodyType.Text, content="Hallo"),
        to_recipients=[Recipient(email_address=EmailAddress(address=to))],
    )
    if author:
        message.from_ = Recipient(email_address=EmailAddress(address=author))
    return SendMailPostRequestBody(message=message, save_to_sent_items=True)


async def subjects(mailbox, folder):
    query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(top=10)
    messages = mailbox.mail_folders.by_mail_folder_id(folder).messages
    page = await messages.get(request_configuration=immutable(query))
    return {message.subject: message for message in page.value}


async def without_the_permissions(description, alex):
    graph, _ = client(description, token(description, alex, SCOPES))
    info = graph.users.by_user_id(INFO)
    inbox = info.mail_folders.by_mail_folder_id("inbox")
    check(await refused(inbox.get()) == (403, "ErrorAccessDenied"), "may not read without Mail.Read.Shared")
    sent = info.send_mail.post(letter("No", alex["address"]))
    check(await refused(sent) == (403, "ErrorAccessDenied"), "may not send without Mail.Send.Shared")
    sent = graph.me.send_mail.post(letter("No", alex["address"], INFO))
    check(
        await refused(sent) == (403, "ErrorAccessDenied"),
        "may not name another author without Mail.Send.Shared",
    )


async def read(info):
    folders = (await info.mail_folders.get()).value
    inbox = await info.mail_folders.by_mail_folder_id("inbox").get()
    check(any(folder.id == inbox.id for folder in folders), "lists the shared mailbox's folders")
    messages = info.mail_folders.by_mail_folder_id("inbox").messages
    page = await messages.delta.get(request_configuration=immutable())
    told = list(page.value)
    while page.odata_next_link:
        page = await messages.delta.with_url(page.odata_next_link).get(
            request_configuration=immutable()
        )
        told += page.value
    check(len(told) == inbox.total_item_count, "follows the shared inbox to its end")
    return messages, page.odata_delta_link


async def with_the_rights(graph, alex):
    info = graph.users.by_user_id(INFO)
    messages, link = await read(info)
    await info.send_mail.post(letter("As the shared mailbox", INFO))
    page = await messages.delta.with_url(link).get(request_configuration=immutable())
    arrived = [message for message in page.value if message.subject == "As the shared mailbox"]
    check(len(arrived) == 1, "hears by delta of mail to the shared mailbox")
    one = arrived[0]
    authors = {one.from_.email_address.address, one.sender.email_address.address}
    check(authors == {INFO}, "Send As leaves no trace of the person")
    mime = await info.messages.by_message_id(one.id).content.get()
    check(b"As the shared mailbox" in mime, "reads the shared mailbox's MIME")
    marked = await info.messages.by_message_id(one.id).patch(
        Message(is_read=True), request_configuration=immutable()
    )
    check(marked.is_read, "marks in the shared mailbox")
    check(
        "As the shared mailbox" in await subjects(info, "sentitems")
        and "As the shared mailbox" not in await subjects(graph.me, "sentitems"),
        "the copy lies in Sent Items of the mailbox that the call names",
    )
    await graph.me.send_mail.post(letter("From one's own mailbox", INFO, INFO))
    check(
        "From one's own mailbox" in await subjects(graph.me, "sentitems")
        and "From one's own mailbox" not in await subjects(info, "sentitems"),
        "and in one's own where the call names that",
    )
    arrived = (await subjects(info, "inbox"))["From one's own mailbox"]
    check(arrived.from_.email_address.address == INFO, "from the author that was named")


async def without_the_rights(graph, alex):
    sales = graph.users.by_user_id(SALES)
    inbox = sales.mail_folders.by_mail_folder_id("inbox")
    check(await refused(inbox.get()) == (404, "ErrorItemNotFound"), "without Full Access there are no folders")
    delta = inbox.messages.delta.get(request_configuration=immutable())
    check((await refused(delta))[0] in (403, 404), "and nothing to follow")
    sent = sales.send_mail.post(letter("No", alex["address"]))
    check((await refused(sent))[0] == 403, "nor to send by")
    sent = graph.me.send_mail.post(letter("No", alex["address"], SALES))
    check(
        await refused(sent) == (403, "ErrorSendAsDenied"),
        "without Send As another author is refused",
    )
    nobody = graph.users.by_user_id("nobody@contoso.example").mail_folders.get()
    check(await refused(nobody) == (404, "ErrorInvalidUser"), "a mailbox that is not there is another thing")


async def run(description):
    alex = user(description, "alex@contoso.example")
    await without_the_permissions(description, alex)
    graph, _ = client(description, token(description, alex, SCOPES + SHARED))
    await with_the_rights(graph, alex)
    await without_the_rights(graph, alex)


def main():
    text = os.environ.get("MAILROOM_SANDBOX")
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            text = file.read()
    asyncio.run(run(json.loads(text)))


if __name__ == "__main__":
    main()
