"""The data of Redis as a tuple, and back: a state of Redis can be kept, compared and gone on from."""

from __future__ import annotations

from typing import Any

from redisipc.testing.redis_model.data import Consumer, Group, Pending, Stream

Frozen = tuple[Any, ...]


def freeze(keys: dict[bytes, Any], ages: bool) -> Frozen:
    """``ages``: whether it matters for how long consumers have been idle."""
    return tuple((key, _freeze(value, ages)) for key, value in sorted(keys.items()))


def thaw(frozen: Frozen, wall_ms: int) -> dict[bytes, Any]:
    return {key: _thaw(value, wall_ms) for key, value in frozen}


def _freeze(value: Any, ages: bool) -> Any:
    if type(value) is Stream:
        bodies = tuple((id, tuple(value.bodies[id])) for id in value._ids if id in value.bodies)
        groups = tuple(_freeze_group(group, ages) for _, group in sorted(value.groups.items()))
        return ("stream", value.last, bodies, groups)
    return tuple(value) if type(value) is list else value


def _freeze_group(group: Group, ages: bool) -> Frozen:
    pending = tuple((p.id, p.key, p.consumer.name, p.time, p.count) for p in group.in_order())
    consumers: tuple[Any, ...]
    if ages:
        consumers = tuple((c.name, c.seen, c.active) for _, c in sorted(group.consumers.items()))
    else:
        consumers = tuple((name, None, None) for name in sorted(group.consumers))
    return (group.name, group.last, pending, consumers)


def _thaw(value: Any, wall_ms: int) -> Any:
    if isinstance(value, bytes):
        return value
    if not value or value[0] != "stream":
        return list(value)
    stream = Stream()
    _, stream.last, bodies, groups = value
    for id, fields in bodies:
        ms, _, sequence = id.partition(b"-")
        stream._keys.append((int(ms), int(sequence)))
        stream._ids.append(id)
        stream.bodies[id] = list(fields)
    stream.groups = {group[0]: _thaw_group(group, wall_ms) for group in groups}
    return stream


def _thaw_group(frozen: Frozen, wall_ms: int) -> Group:
    name, last, pending, consumers = frozen
    group = Group(name, last)
    for consumer_name, seen, active in consumers:
        consumer = group.consumers[consumer_name] = Consumer(consumer_name, wall_ms if seen is None else seen)
        consumer.active = wall_ms if active is None else active
    for id, key, owner_name, time, count in pending:
        owner = group.consumers[owner_name]
        group.pending[id] = owner.pending[id] = Pending(id, key, owner, time, count)
    return group
