"""A hub at a TCP port, and the model as a process of its own: for other clients and other languages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import redis

import redisipc
from redisipc.cli.main import main
from redisipc.testing import Hub


def test_another_client_sees_what_is_on_the_hub(hub: Hub) -> None:
    with redis.Redis.from_url(hub.listen(), protocol=2) as raw, redisipc.Stream("shop", "web", client=hub) as web:
        assert [group["name"] for group in raw.xinfo_groups("shop")] == [b"web"]
        assert raw.exists(f"shop:web:{web.instance}:consumers")
        assert raw.xlen("shop") == 0
        assert raw.type("shop") == b"stream"


def test_the_library_may_come_by_tcp_too(hub: Hub) -> None:
    stock = redisipc.Stream("shop", "stock", url=hub.listen())
    stock.on_request(lambda request: request.content + 1)
    with stock, redisipc.Stream("shop", "web", client=hub) as web:
        assert web.request(1, to="stock") == 2


def test_the_command_line_watches_a_hub(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    with redis.Redis.from_url(hub.listen(), protocol=2) as raw:
        raw.xgroup_create("shop", "stock", mkstream=True)
        ids = [raw.xadd("shop", {"number": number}) for number in range(4)]
        assert [id for id, _ in raw.xrevrange("shop", count=2)] == [ids[3], ids[2]]
        assert [id for id, _ in raw.xrevrange("shop", max=ids[1])] == [ids[1], ids[0]]
    assert main(["watch", "--url", hub.listen(), "--stream", "shop", "--for", "200ms"]) == 0
    assert capsys.readouterr().out == ""


def test_a_transaction_a_subscription_and_a_script_work(hub: Hub) -> None:
    with redis.Redis.from_url(hub.listen(), protocol=2) as raw:
        pipe = raw.pipeline(transaction=True)
        pipe.set("a", "1").get("a").lpush("l", "x", "y")
        assert pipe.execute() == [True, b"1", 2]
        listener = raw.pubsub(ignore_subscribe_messages=True)
        listener.subscribe("news")
        listener.get_message(timeout=1)
        assert raw.publish("news", "hello") == 1
        message = listener.get_message(timeout=1)
        assert message is not None
        assert message["data"] == b"hello"
        listener.close()
        script = "for i = 1, 3 do redis.call('LPUSH', KEYS[1], string.format('%03x', i)) end "
        script += "return redis.call('LRANGE', KEYS[1], 0, 9)"
        assert raw.eval(script, 1, "k") == [b"003", b"002", b"001"]


def test_what_the_model_does_not_know_is_refused(hub: Hub) -> None:
    with redis.Redis.from_url(hub.listen(), protocol=2) as raw:
        with pytest.raises(redis.ResponseError, match="unknown command 'HSET'"):
            raw.hset("h", "a", "b")
        with pytest.raises(redis.ResponseError, match="the model expected a value"):
            raw.eval("return function() end", 0)


def test_a_hub_that_is_closed_breaks_connections(hub: Hub) -> None:
    with redis.Redis.from_url(hub.listen(), protocol=2) as raw:
        raw.ping()
        hub.close()
        with pytest.raises(redis.ConnectionError):
            raw.ping()


def test_the_process_keeps_its_data_when_it_is_shut_down_in_order(tmp_path: Path) -> None:
    def start() -> tuple[subprocess.Popen[str], redis.Redis]:
        command = [sys.executable, "-m", "redisipc.testing", "--dir", str(tmp_path), "--like", "redis-8.0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("the model of Redis, as redis-8.0, at redis://127.0.0.1:")
        return process, redis.Redis.from_url(said.split()[-1], protocol=2)

    process, raw = start()
    raw.xadd("shop", {"a": "b"})
    raw.shutdown(save=True)
    raw.close()
    assert process.wait(10) == 0
    process.stdout.close()  # type: ignore[union-attr]
    process, raw = start()
    try:
        assert raw.xlen("shop") == 1
    finally:
        raw.close()
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()  # type: ignore[union-attr]


def test_a_stream_is_trimmed_to_a_number_or_from_an_id_on(hub: Hub) -> None:
    with redis.Redis.from_url(hub.listen(), protocol=2) as raw:
        ids = [raw.xadd("shop", {"n": n}, maxlen=3, approximate=False) for n in range(5)]
        assert [id for id, _ in raw.xrange("shop")] == ids[2:]
        assert raw.xadd("shop", {"n": 5}, maxlen=0, approximate=True, limit=7, nomkstream=True)
        assert raw.xlen("shop") == 0
        ids = [raw.xadd("shop", {"n": n}) for n in range(4)]
        assert raw.xtrim("shop", maxlen=3) == 1
        assert raw.xtrim("shop", minid=ids[3]) == 2
        assert [id for id, _ in raw.xrange("shop")] == [ids[3]]
        with pytest.raises(redis.ResponseError, match="must be >= 0"):
            raw.execute_command("XADD", "shop", "MAXLEN", "-1", "*", "a", "b")


def test_rights_that_are_taken_away_are_refused_and_can_be_given_back(hub: Hub) -> None:
    with redis.Redis.from_url(hub.listen(), protocol=2) as raw:
        raw.execute_command("ACL SETUSER", "default", "-ping", "-xadd")
        with pytest.raises(redis.exceptions.NoPermissionError, match="'ping'"):
            raw.ping()
        with raw.pipeline(transaction=True) as pipe:
            pipe.xadd("shop", {"a": "b"})
            with pytest.raises(redis.exceptions.NoPermissionError, match="'xadd'"):
                pipe.execute()
        assert not raw.exists("shop")
        raw.execute_command("ACL SETUSER", "default", "+@all")
        assert raw.ping()
        with pytest.raises(redis.ResponseError, match="modifier '-pong'"):
            raw.execute_command("ACL SETUSER", "default", "-pong")
