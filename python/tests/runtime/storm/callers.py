"""Calls from where Python runs code on its own, and under other schedulers."""

from __future__ import annotations

from .preambles import ASYNCIO, of_asyncio, threads

THREADS_FINALIZER = """
    # The garbage collector runs it on whatever thread it likes, the endpoint's own included: waiting is refused there.
    import gc
    where, refused = set(), []
    class Remote:
        def __init__(self):
            self.me = self
        def __del__(self):
            global interrupted
            interrupted += 1
            where.add(threading.current_thread().name)
            me.submit(1, to="me")
            try:
                me.request(1, to="me")
            except CannotWait as error:
                assert "do not wait" in str(error)
                refused.append(1)
    while interrupted < count:
        calls += 1
        # Whoever makes the last of so many objects runs the collection.
        gc.set_threshold(random.randint(5, 50), 2, 2)
        Remote()
        assert me.request(calls, to="me") == calls
    gc.disable()
    me.disconnect()
    assert len(where) > 1, where
    assert bool(refused) == bool(where & {"redisipc-me-io", "redisipc-me-start"})
    went_on()
    """
ASYNCIO_FINALIZER = """
    import gc
    class Remote:
        def __init__(self):
            self.me = self
        def __del__(self):
            global interrupted
            interrupted += 1
            me.submit(1, to="me").add_done_callback(lambda future: future.exception())
    async def main():
        global calls
        while interrupted < count:
            calls += 1
            gc.set_threshold(random.randint(5, 50), 2, 2)
            Remote()
            if calls % 3 == 0:
                await asyncio.sleep(0.0001)
            assert await me.request(calls, to="me") == calls
        gc.disable()
        await me.disconnect()
        went_on()
    loop.run_until_complete(main())
    loop.close()
    """
THREADS_LOGGING = """
    # What the endpoint logs is sent over the endpoint itself.
    import logging
    class Ship(logging.Handler):
        def emit(self, record):
            global interrupted
            interrupted += 1
            try:
                me.submit(record.getMessage(), to="me")
                me.send_to_group(record.getMessage(), to="me", timeout=1)
            except (NotConnected, ClosedError, CannotWait):
                pass
    logging.getLogger().addHandler(Ship())
    logging.getLogger().setLevel(logging.DEBUG)
    stock = Stream(name, "stock", url=url)
    stock.on_request(lambda request: 1 / 0)
    stock.connect()
    while interrupted < count:
        calls += 1
        assert me.send_to_group(1, to="stock").rejected
    stock.disconnect()
    me.disconnect()
    went_on()
    """
THREADS_CALLBACKS = """
    # A callback of a future asks and waits, and so does on_error, and what hears that a request was given up.
    # Lists: without a GIL, two threads that add to one number lose one of both.
    seen = {"done": [], "error": [], "cancel": []}
    waits = []
    def again(what):
        global interrupted
        interrupted += 1
        assert me.request(what, to="me") == what
        seen[what].append(1)
    stock = Stream(name, "stock", url=url, concurrency=8)
    def handle(request):
        if request.content == "wait":
            request.on_cancel(lambda: again("cancel"))
            waits.append(1)
            while not request.cancelled:
                time.sleep(0.001)
        elif request.content == "fail":
            raise ValueError("as asked")
        return request.content
    stock.on_request(handle)
    stock.on_error(lambda error: again("error"))
    stock.connect()
    futures = []
    while min(len(seen["done"]), len(seen["error"])) < count // 2:
        calls += 3
        future = me.submit("fine", to="stock")
        future.add_done_callback(lambda future: again("done"))
        assert future.result() == "fine"
        assert me.send_to_group("fail", to="stock").rejected
        if len(futures) < 4:
            futures.append(me.submit("wait", to="stock", timeout=30))
            # One that is given up before it starts has no handler that could hear of it.
            while len(waits) < len(futures):
                time.sleep(0.002)
            futures[-1].cancel()
    deadline = time.monotonic() + 10
    while len(seen["cancel"]) < 4:
        assert time.monotonic() < deadline, seen
        time.sleep(0.01)
    stock.disconnect()
    me.disconnect()
    went_on()
    """
THREADS_FORK = """
    # A process that is forked at any moment of its threads: the child is told, and may join anew.
    import os, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    ended = threading.Event()
    def ask():
        global calls
        while not ended.is_set():
            calls += 1
            assert me.request(calls, to="me") is not None
    threads = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    while interrupted < max(4, count // 100):
        time.sleep(random.uniform(0, 0.01))
        interrupted += 1
        child = os.fork()
        if child == 0:
            try:
                signal.alarm(20)
                assert not me.connected
                try:
                    me.request(1, to="me")
                except ForkedError:
                    pass
                me.disconnect()
                me.connect()
                assert me.request("child", to="me") == "child"
                me.disconnect()
                os._exit(7)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    ended.set()
    for thread in threads:
        thread.join()
    assert me.request("parent", to="me") == "parent"
    me.disconnect()
    went_on()
    """
UVLOOP = ASYNCIO.replace(
    "import asyncio", "import asyncio, uvloop\nasyncio.set_event_loop_policy(uvloop.EventLoopPolicy())", 1
)
GEVENT = "\nfrom gevent import monkey\nmonkey.patch_all()\nimport gevent\n"
GEVENT_CALLS = """
    # Greenlets for threads: many callers, handlers that sleep, a signal handler of gevent's that asks.
    def handler():
        global interrupted
        interrupted += 1
        mine = interrupted
        assert me.submit(mine, to="me").result() == mine
    gevent.signal_handler(signal.SIGALRM, handler)
    def ask(base):
        global calls
        while interrupted < count:
            calls += 1
            if base == 0:
                soon()
            assert me.request([base, calls], to="me")[0] == base
    jobs = [gevent.spawn(ask, base) for base in range(5)]
    gevent.joinall(jobs, raise_error=True)
    over()
    gevent.sleep(0.1)
    me.disconnect()
    went_on()
    """


def under_uvloop(storm: str) -> str:
    """The same storm on uvloop."""
    return storm.replace(ASYNCIO, UVLOOP)


CALLERS = {
    "threads finalizer": threads(THREADS_FINALIZER),
    "threads logging": threads(THREADS_LOGGING),
    "threads callbacks": threads(THREADS_CALLBACKS),
    "threads fork": threads(THREADS_FORK),
    "asyncio finalizer": of_asyncio(ASYNCIO_FINALIZER),
    "gevent": GEVENT + threads(GEVENT_CALLS),
}
