"""Microsoft's own Graph SDK for Python against the practice tenant.

Usage: python graph_sdk.py DESCRIPTION_JSON (a file), or the text of it in MAILROOM_SANDBOX.
The description is what `mailroom sandbox --json` prints, of a sandbox that serves HTTPS.
Exits with 0 when the unmodified SDK reads, changes, follows, sends and batches mail.
"""

import asyncio
import json
import os
import sys
import time
from urllib.parse import parse_qsl, urlsplit

import httpx
import msal
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.graph_request_adapter import options
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.users.item.mail_folders.item.messages.delta.delta_request_builder import (
    DeltaRequestBuilder,
)
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
    MessagesRequestBuilder,
)
from msgraph.generated.users.item.messages.item.move.move_post_request_body import (
    MovePostRequestBody,
)
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import (
    SendMailPostRequestBody,
)
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.tasks.page_iterator import PageIterator

from pages import Browser, session, sign_in, user

SCOPES = ["User.Read", "Mail.ReadWrite", "Mail.Send"]


def check(holds, what):
    if not holds:
        raise SystemExit(f"not ok graph sdk {what}")
    print(f"ok graph sdk {what}")


class Signed:
    """A credential around the token that MSAL got through the browser."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *_scopes, **_options):
        return AccessToken(self.token, int(time.time()) + 3000)


def token(description, person, scopes=SCOPES):
    https = description["https"] or sys.exit("graph sdk: the sandbox does not serve HTTPS")
    app = msal.PublicClientApplication(
        description["client_id"],
        authority=f"{https['authority']}/organizations",
        instance_discovery=False,
        http_client=session(https["ca_file"]),
    )
    flow = app.initiate_auth_code_flow(
        scopes, redirect_uri="http://localhost:54322", login_hint=person["login"]
    )
    browser = Browser(https["ca_file"])
    answer = dict(parse_qsl(urlsplit(sign_in(browser, flow["auth_uri"], person)).query))
    return app.acquire_token_by_auth_code_flow(flow, answer)["access_token"]


def client(description, bearer):
    """The SDK with its own middleware; only host, trust and token are ours."""
    https = description["https"]
    host = urlsplit(https["graph_url"]).netloc
    http = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(verify=https["ca_file"], trust_env=False, timeout=30),
        host=https["graph_url"],
        options=options,
    )
    provider = AzureIdentityAuthenticationProvider(
        Signed(bearer),
        scopes=["https://graph.microsoft.com/.default"],
        allowed_hosts=[host, host.split(":")[0]],
    )
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{https['graph_url']}/v1.0"
    return GraphServiceClient(request_adapter=adapter), adapter


def immutable(parameters=None):
    configuration = RequestConfiguration(query_parameters=parameters)
    configuration.headers.add("Prefer", 'IdType="ImmutableId"')
    return configuration


async def run(description):
    person = user(description, "support@contoso.example")
    graph, adapter = client(description, token(description, person))

    me = await graph.me.get()
    check(me.mail == person["address"], "knows who signed in")
    folders = (await graph.me.mail_folders.get()).value
    inbox = await graph.me.mail_folders.by_mail_folder_id("inbox").get()
    check(any(folder.id == inbox.id for folder in folders), "lists the folders")
    check(inbox.total_item_count >= 1200, "counts the inbox")

    messages = graph.me.mail_folders.by_mail_folder_id("inbox").messages
    query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        top=400,
        select=["subject", "receivedDateTime", "from"],
        orderby=["receivedDateTime desc"],
    )
    first = await messages.get(request_configuration=immutable(query))
    seen = []
    iterator = PageIterator(first, adapter)
    await iterator.iterate(lambda message: seen.append(message.id) or True)
    check(len(set(seen)) == inbox.total_item_count, "pages through all messages")

    parameters = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=["isRead"])
    configuration = immutable(parameters)
    configuration.headers.add("Prefer", "odata.maxpagesize=500")
    page = await messages.delta.get(request_configuration=configuration)
    told = list(page.value)
    follow = immutable()
    while page.odata_next_link:
        page = await messages.delta.with_url(page.odata_next_link).get(request_configuration=follow)
        told += page.value
    check(len(told) == inbox.total_item_count, "follows delta to its end")

    one = graph.me.messages.by_message_id(seen[3])
    patched = await one.patch(
        Message(is_read=True, categories=["Mailroom"]), request_configuration=immutable()
    )
    check(patched.is_read and patched.categories == ["Mailroom"], "marks a message")
    mime = await one.content.get()
    check(mime.startswith(b"Received:"), "reads the MIME")
    moved = await one.move.post(
        MovePostRequestBody(destination_id="archive"), request_configuration=immutable()
    )
    check(moved.id == seen[3], "keeps the immutable id over a move")
    changes = await messages.delta.with_url(page.odata_delta_link).get(request_configuration=follow)
    removed = [m.id for m in changes.value if "@removed" in m.additional_data]
    check(removed == [seen[3]], "hears of the removal")

    await graph.me.send_mail.post(
        SendMailPostRequestBody(
            message=Message(
                subject="Sent by the SDK ☕",
                body=ItemBody(content_type=BodyType.Text, content="Hallo"),
                to_recipients=[Recipient(email_address=EmailAddress(address=person["address"]))],
            ),
            save_to_sent_items=True,
        )
    )
    newest = await messages.get(
        request_configuration=RequestConfiguration(
            query_parameters=MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(top=1)
        )
    )
    check(newest.value[0].subject == "Sent by the SDK ☕", "sends mail that arrives")
    check(newest.value[0].from_.email_address.address == person["address"], "says who sent it")

    batch = BatchRequestContent()
    for request in (
        graph.me.to_get_request_information(),
        graph.me.mail_folders.by_mail_folder_id("inbox").to_get_request_information(),
    ):
        batch.add_request_information(request)
    answers = await graph.batch.post(batch)
    statuses = [answer.status for answer in answers.responses.values()]
    check(statuses == [200, 200], "sends a batch")

    try:
        await graph.me.messages.by_message_id("nonsense").get()
        check(False, "is refused a malformed id")
    except ODataError as refusal:
        check(refusal.error.code == "ErrorInvalidIdMalformed", "reads the code of a refusal")
        check(refusal.error.inner_error.request_id is not None, "reads the request id of a refusal")


def main():
    text = os.environ.get("MAILROOM_SANDBOX")
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            text = file.read()
    asyncio.run(run(json.loads(text)))


if __name__ == "__main__":
    main()
