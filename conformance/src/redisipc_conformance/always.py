"""The rules that hold in every scenario: what an endpoint may send at any moment of its life.

A scenario looks at one moment. A fault may show only after a reconnect, with the hundredth request, or in one of
several paths, and each would need a scenario. So every scenario examines all commands of all endpoints. Each rule is a
check that appears only if it failed.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """``name`` is that of the check. ``profile``: who claims it is bound by the rule."""

    name: str
    requirements: tuple[str, ...]
    text: str
    profile: str = "base"


KEYS_LISTED = Rule("always-keys-known", ("RIPC-REDIS-2",), "No endpoint lists the keys of the database")
ONE_KEY = Rule("always-one-key", ("RIPC-REDIS-3",), "No command and no MULTI touches two keys")
TRIMMED = Rule("always-untrimmed", ("RIPC-REDIS-4",), "No endpoint trims the stream by length")
EXPIRY = Rule("always-without-expiry", ("RIPC-REDIS-5",), "No endpoint sets an expiry on the stream")
DESTROYED = Rule("always-kept", ("RIPC-LIFE-17",), "No endpoint destroys a group or the stream")
GROUP_SET = Rule("always-not-set", ("RIPC-LIFE-2", "RIPC-RECOV-20"), "No endpoint sets a group to another entry ID")
BLOCKED = Rule("always-block-bounded", ("RIPC-LIFE-5",), "No read blocks for longer than 5 s")
CALLER_BLOCKED = Rule("always-read-bounded", ("RIPC-ASK-3",), "No read of a caller blocks for longer than 5 s", "ask")
OTHERS_GROUP = Rule("always-own-group", ("RIPC-REQ-10",), "No endpoint makes another group than its own")
CALLER_MAKES = Rule("always-nothing-made", ("RIPC-ASK-7",), "No caller makes a group, a consumer or a key", "ask")
STREAM_MADE = Rule("always-nomkstream", ("RIPC-REQ-13",), "Each request is written with NOMKSTREAM", "resilient")
CALLER_STREAM = Rule("always-no-stream-made", ("RIPC-ASK-2",), "A caller writes with NOMKSTREAM", "ask")
OWN_ENTRY_ID = Rule("always-redis-ids", ("RIPC-ENTRY-3",), "Redis gives each entry its ID")
REQUEST_ID = Rule("always-request-ids", ("RIPC-NAME-9",), "Each request id is 21 lower-case hex characters")
SAME_ID = Rule("always-new-ids", ("RIPC-NAME-10",), "No two requests have one id")
WRITTEN_AGAIN = Rule("always-one-entry", ("RIPC-REQ-2",), "No request that is stored is written again")
UNSURE_AGAIN = Rule(
    "always-never-repeated", ("RIPC-REQ-3",), "No request whose reply did not come is written again", "resilient"
)
CALLER_AGAIN = Rule("always-asked-once", ("RIPC-ASK-9",), "No caller writes a request again that may be stored", "ask")
NEW_INSTANCE = Rule(
    "always-new-instance", ("RIPC-LIFE-24", "RIPC-NAME-5"), "Each endpoint that connects has an instance id of its own"
)
INSTANCE_ID = Rule("always-instance-ids", ("RIPC-NAME-4",), "Each instance id is 6 lower-case hex characters")
OWN_INSTANCE = Rule("always-own-instance", ("RIPC-ENTRY-5",), "A request names the instance that writes it")
OWN_SOURCE = Rule("always-own-source", ("RIPC-ENTRY-6",), "A request names the group that writes it as its source")
CALLER_SOURCE = Rule(
    "always-callers-source", ("RIPC-ASK-1",), "A request of a caller names the caller as its source", "ask"
)
DISPATCHER = Rule("always-dispatcher", ("RIPC-NAME-6",), "New entries are read under the dispatcher's name")
ANSWER_ID = Rule("always-answer-id", ("RIPC-ENTRY-7",), "A response has the id of a request that was written")
ANSWER_INSTANCE = Rule("always-answer-instance", ("RIPC-ENTRY-8",), "A response has the instance of its request")
ANSWER_GROUPS = Rule("always-answer-groups", ("RIPC-ENTRY-9",), "A response has the groups of its request, exchanged")
ANSWERED_ONCE = Rule(
    "always-answered-once", ("RIPC-RESP-2",), "No endpoint writes two responses to one delivery of a request"
)
ANSWER_ORDER = Rule(
    "always-answer-order",
    ("RIPC-RESP-6",),
    "Response, acknowledgement and deletion are one MULTI, in this order",
    "resilient",
)
DELETED = Rule(
    "always-others-kept",
    ("RIPC-ROUTE-2", "RIPC-ROUTE-3", "RIPC-ROUTE-4", "RIPC-ROUTE-10"),
    "No endpoint deletes an entry that is for another group or for none",
)
KEPT_PENDING = Rule(
    "always-acknowledges", ("RIPC-ROUTE-2",), "An endpoint acknowledges an entry for another group that it has read"
)
RUN_FOR_OTHERS = Rule("always-own-requests", ("RIPC-ROUTE-2", "RIPC-NAME-3"), "No handler gets another group's request")
AFTER_THE_END = Rule("always-silent-at-the-end", ("RIPC-LIFE-16",), "An endpoint sends nothing after its disconnect")
UNLISTED_DELETION = Rule(
    "always-listed-first",
    ("RIPC-LIFE-22",),
    "A consumer is deleted in a MULTI that lists its pending entries first",
    "group",
)
LIST_EXPIRY = Rule("always-list-expires", ("RIPC-LIFE-10",), "The MULTI that writes the list gives it 100 s", "group")
LIST_RENEWED = Rule("always-list-renewed", ("RIPC-LIFE-11",), "The list is renewed for 100 s", "group")
ANNOUNCED = Rule(
    "always-announcement", ("RIPC-VERS-1",), "Each announcement is an object with all required keys", "group"
)
ANNOUNCED_FOR = Rule("always-announced-for", ("RIPC-VERS-2",), "An announcement expires within 100 s", "group")
ANNOUNCED_TIMEOUT = Rule(
    "always-announced-timeout",
    ("RIPC-VERS-8",),
    "An announced timeout is the endpoint's own, in whole milliseconds",
    "group",
)
ONE_START = Rule(
    "always-three-a-start", ("RIPC-GROUP-20",), "A claim for a start writes three times the starts", "resilient"
)
COUNTED_CLAIM = Rule(
    "always-claims-uncounted", ("RIPC-GROUP-10",), "No claim of a request counts as a delivery by itself", "resilient"
)
GIVE_BACK_MARK = Rule(
    "always-ten-years",
    ("RIPC-GROUP-24",),
    "An entry that is given back is idle for ten years, or, as a response, for twenty",
    "resilient",
)
MADE_AGAIN = Rule(
    "always-made-without-mkstream",
    ("RIPC-RECOV-8",),
    "A group is made with MKSTREAM at the beginning or the end only",
    "resilient",
)

SIX_FIELDS = Rule("always-six-fields", ("RIPC-ENTRY-1",), "Each entry has exactly the six fields")
FIELD_ORDER = Rule("always-field-order", ("RIPC-ENTRY-2",), "Each entry has its fields in the order of the table")
NO_TRACE = Rule("always-no-trace", ("RIPC-RESP-24",), "No reason holds a stack trace")
CONSUMER_MADE = Rule(
    "always-made-first", ("RIPC-NAME-7",), "An endpoint makes a consumer before it reads under its name"
)
LISTED_ONCE = Rule("always-listed-once", ("RIPC-LIFE-9",), "The list has no dispatcher, and no consumer twice", "group")
REGISTERED_FIRST = Rule(
    "always-registered-first", ("RIPC-LIFE-8",), "A member registers before it writes a request", "group"
)
MADE_AT_THE_END = Rule(
    "always-made-where-it-was", ("RIPC-RECOV-8",), "A group that was lost is not made again at the end", "resilient"
)
WOKEN = Rule(
    "always-woken-after", ("RIPC-GROUP-6",), "A wake-up is empty, and comes behind the claim that it tells of", "group"
)
SETTLED = Rule(
    "always-acknowledged",
    ("RIPC-ROUTE-5", "RIPC-ROUTE-6"),
    "A response that was read and deleted is acknowledged, too",
    "resilient",
)
HANDED_KEPT = Rule(
    "always-handed-kept", ("RIPC-GROUP-2",), "No response that was handed over is acknowledged or deleted", "group"
)
HANDED_TO = Rule(
    "always-handed-to-listed",
    ("RIPC-GROUP-1", "RIPC-ROUTE-7"),
    "A response is handed over with a min-idle-time of 0, to a consumer of an availability list",
    "group",
)
HANDED_TO_ITSELF = Rule(
    "always-kept-to-itself",
    ("RIPC-ROUTE-5", "RIPC-ROUTE-6"),
    "No endpoint hands an entry over to its own consumer",
    "group",
)
ALONE = Rule(
    "always-alone-again",
    ("RIPC-RESP-25",),
    "An answer whose write broke the connection shares no further MULTI with another answer",
    "resilient",
)
CLAIMED_EARLY = Rule(
    "always-claimed-late",
    ("RIPC-GROUP-13", "RIPC-GROUP-36"),
    "Another owner's entry is claimed with a min-idle-time of 10 s, or of 5 years",
    "resilient",
)
ONE_LOOK = Rule(
    "always-two-looks", ("RIPC-GROUP-14",), "An entry is reclaimed after two looks that showed its owner", "resilient"
)
KEPT_ALIVE = Rule(
    "always-left-alone", ("RIPC-GROUP-24",), "No claim keeps a request alive that was given back", "resilient"
)

RULES = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
NAMES = tuple(rule.name for rule in RULES)
