"""Sessions in DynamoDB."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.common.timestamps import format_instant, parse_instant
from milepost.console.sessions import Attempt, Person, Session, hash_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SESSION: Final = "session"
_ATTEMPT: Final = "sign-in"


class SessionsTable:
    """Implements ``sessions.Sessions``. Items expire by themselves."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def put(self, session: Session) -> None:
        self._put(
            {
                "pk": _key(_SESSION, session.id),
                **_person(session.person),
                "began_at": format_instant(session.began_at),
                "renewed_at": format_instant(session.renewed_at),
                "token": session.sealed_token,
                "expires_at": _seconds(session.ends_at),
            }
        )

    def get(self, session_id: str) -> Session | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_item({"pk": _key(_SESSION, session_id)}),
            ConsistentRead=True,
        )
        if "Item" not in answer:
            return None
        item = from_item(answer["Item"])
        return Session(
            id=session_id,
            person=Person(
                subject=item["subject"], name=item["person"], groups=tuple(item["groups"])
            ),
            began_at=parse_instant(item["began_at"]),
            renewed_at=parse_instant(item["renewed_at"]),
            sealed_token=item["token"],
        )

    def renew(self, session: Session) -> None:
        values = {**_person(session.person), "renewed_at": format_instant(session.renewed_at)}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"pk": _key(_SESSION, session.id)}),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues=to_item({f":{n}": v for n, v in values.items()}),
            )
        except ClientError as error:
            # The session was ended meanwhile.
            item_in_the_way(error)

    def end(self, session_id: str) -> None:
        self._client.delete_item(
            TableName=self._table, Key=to_item({"pk": _key(_SESSION, session_id)})
        )

    def begin(self, attempt: Attempt) -> None:
        self._put(
            {
                "pk": _key(_ATTEMPT, attempt.id),
                "state": attempt.state,
                "nonce": attempt.nonce,
                "verifier": attempt.verifier,
                "to": attempt.to,
                "until": format_instant(attempt.expires_at),
                "expires_at": _seconds(attempt.expires_at),
            }
        )

    def take(self, attempt_id: str) -> Attempt | None:
        answer = self._client.delete_item(
            TableName=self._table,
            Key=to_item({"pk": _key(_ATTEMPT, attempt_id)}),
            ReturnValues="ALL_OLD",
        )
        if not answer.get("Attributes"):
            return None
        item = from_item(answer["Attributes"])
        return Attempt(
            id=attempt_id,
            state=item["state"],
            nonce=item["nonce"],
            verifier=item["verifier"],
            to=item["to"],
            expires_at=parse_instant(item["until"]),
        )

    def _put(self, item: dict[str, Any]) -> None:
        self._client.put_item(TableName=self._table, Item=to_item(item))


def _key(kind: str, secret: str) -> str:
    return f"{kind}#{hash_of(secret)}"


def _person(person: Person) -> dict[str, Any]:
    return {"subject": person.subject, "person": person.name, "groups": list(person.groups)}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
