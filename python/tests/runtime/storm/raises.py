"""A signal handler raises: Ctrl-C, soft time limits. Where it interrupted the library, the endpoint lives on."""

from __future__ import annotations

from .preambles import of_asyncio, threads

THREADS_RAISE = """
    class SoftLimit(KeyboardInterrupt if seed % 2 else Exception): ...
    armed = False
    def handler(number, frame):
        if armed:
            raise SoftLimit
    signal.signal(signal.SIGALRM, handler)
    def ask():
        if WHAT == "request":
            assert me.request(calls, to="me") == calls
        elif WHAT == "result":
            assert me.submit(calls, to="me").result() == calls
        else:
            from concurrent.futures import as_completed, wait
            futures = [me.submit(number, to="me") for number in range(3)]
            assert sorted(future.result() for future in as_completed(futures)) == [0, 1, 2]
            assert len(wait(futures).done) == 3
    while interrupted < count:
        calls += 1
        try:
            armed = True
            soon()
            ask()
            armed = False
        except SoftLimit:
            armed = False
            interrupted += 1
    over()
    assert me.request("after", to="me") == "after"
    deadline = time.monotonic() + 10
    while me.outstanding:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    me.disconnect()
    went_on()
    """
THREADS_ANSWER = """
    # The main thread answers, and is interrupted: each request is answered once, nothing is left unanswered.
    import queue
    class SoftLimit(KeyboardInterrupt if seed % 2 else Exception): ...
    armed = False
    def handler(number, frame):
        if armed:
            raise SoftLimit
    signal.signal(signal.SIGALRM, handler)
    todo = queue.SimpleQueue()
    stock = Stream(name, "stock", url=url)
    stock.on_request(lambda request: todo.put(request.later()))
    stock.connect()
    while interrupted < count:
        calls += 1
        future = me.submit(calls, to="stock")
        request = todo.get()
        while True:
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00001, 0.0001))
                for _ in range(20):
                    request.answered
                request.fulfill(request.content)
                armed = False
                break
            except SoftLimit:
                armed = False
                interrupted += 1
            except AlreadyAnswered:
                armed = False
                break
        over()
        assert future.result() == calls
    stock.disconnect()
    me.disconnect()
    went_on()
    """
THREADS_LIFE = """
    # While it connects, asks and leaves: nothing of it stays behind.
    class SoftLimit(KeyboardInterrupt if seed % 2 else Exception): ...
    armed = False
    def handler(number, frame):
        if armed:
            raise SoftLimit
    signal.signal(signal.SIGALRM, handler)
    before = threading.active_count()
    import warnings
    warnings.simplefilter("ignore", ResourceWarning)
    while interrupted < max(5, count // 10):
        calls += 1
        web = Stream(name, "web", url=url, timeout=5, close_timeout=1)
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.02))
            with web:
                assert web.request(1, to="me") == 1
            armed = False
        except SoftLimit:
            armed = False
            interrupted += 1
        over()
        web.disconnect(0)
        assert not web.connected
    del web
    deadline = time.monotonic() + 10
    while threading.active_count() > before:
        assert time.monotonic() < deadline, threading.enumerate()
        time.sleep(0.01)
    assert me.request("after", to="me") == "after"
    me.disconnect()
    went_on()
    """
ASYNCIO_RAISE = """
    class SoftLimit(KeyboardInterrupt if seed % 2 else Exception): ...
    armed = False
    # From Python 3.13 on asyncio counts as running for ever after an exception in these: it sets and clears that outside
    # of its try. No endpoint can mend it, so no exception comes there.
    ASYNCIOS_OWN = ("run_forever", "_run_forever_setup", "_run_forever_cleanup") if sys.version_info >= (3, 13) else ()
    def handler(number, frame):
        global interrupted
        if armed:
            soon()
            if frame.f_code.co_name in ASYNCIOS_OWN:
                return
            interrupted += 1
            raise SoftLimit
    signal.signal(signal.SIGALRM, handler)
    async def some():
        global calls
        for number in range(20):
            try:
                calls += 1
                assert await me.request(number, to="me", timeout=2) == number
            except RequestError:
                pass
            except SoftLimit:
                return
    async def three():
        await asyncio.gather(*(some() for _ in range(3)))
    while interrupted < count:
        try:
            armed = True
            soon()
            loop.run_until_complete(three())
        except SoftLimit:
            pass
        while armed:
            # Another one may come while the first one is on its way out of the event loop.
            try:
                armed = False
            except SoftLimit:
                pass
    over()
    async def after():
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for _ in range(50):
            response = await me.send_to_group("after", to="me", timeout=1)
            if response.fulfilled:
                break
        assert response.value == "after", response
        start = time.monotonic()
        for number in range(100):
            assert await me.request(number, to="me") == number
        assert time.monotonic() - start < 5
        assert me.outstanding == 0, me.outstanding
        await me.disconnect()
        went_on()
    try:
        # What an interrupted call of it left behind may still stop the event loop.
        loop.run_until_complete(asyncio.sleep(0.1))
    except RuntimeError:
        pass
    loop.run_until_complete(after())
    """
ASYNCIO_CROWD = """
    # On a stream that is full of others' entries, while another thread asks: each request has an answer in time.
    import threading
    import redis
    from redisipc import Caller
    class SoftLimit(KeyboardInterrupt if seed % 2 else Exception): ...
    armed = False
    # As above.
    ASYNCIOS_OWN = ("run_forever", "_run_forever_setup", "_run_forever_cleanup") if sys.version_info >= (3, 13) else ()
    def handler(number, frame):
        global interrupted
        if armed and frame.f_code.co_name not in ASYNCIOS_OWN:
            interrupted += 1
            raise SoftLimit
    signal.signal(signal.SIGALRM, handler)
    ended, unanswered = threading.Event(), []
    def crowd():
        raw = redis.Redis.from_url(url)
        fields = {"id": "f" * 21, "instance_id": "ffffff", "status": "pending", "content": "1"}
        while not ended.wait(0.002):
            # Nothing is trimmed here: a request that was trimmed would have no answer.
            raw.xadd(name, {**fields, "source_group": "crowd", "destination_group": "nobody"})
        raw.close()
    def ask():
        global calls
        with Caller(name, url=url, timeout=12) as caller:
            while not ended.is_set():
                calls += 1
                response = caller.send_to_group(calls, to="me")
                # A handler that was interrupted rejects.
                if not response.fulfilled and response.code != "handler_failed":
                    unanswered.append(response)
    threads = [threading.Thread(target=each) for each in (crowd, ask)]
    for thread in threads:
        thread.start()
    while interrupted < max(10, count // 4):
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.04))
            loop.call_later(0.05, loop.stop)
            loop.run_forever()
            armed = False
        except SoftLimit:
            armed = False
    over()
    ended.set()
    while any(thread.is_alive() for thread in threads):
        loop.call_later(0.05, loop.stop)
        loop.run_forever()
    assert not unanswered, unanswered
    # The stops that came too late.
    time.sleep(0.1)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.run_until_complete(me.disconnect())
    went_on()
    """
ASYNCIO_LOOPS = """
    # Ctrl-C ends one asyncio.run after the other: the Stream connects anew in the next loop, nothing is left open.
    # Python 3.10 raises KeyboardInterrupt anywhere in the event loop, which that does not survive: there it is cancelled.
    signal.signal(signal.SIGALRM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    loop.run_until_complete(me.disconnect())
    loop.close()
    async def main():
        global calls
        if sys.version_info < (3, 11):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, asyncio.current_task().cancel)
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.06))
        await me.connect()
        while True:
            calls += 1
            await me.request(1, to="me", timeout=1)
    while interrupted < max(5, count // 10):
        try:
            asyncio.run(main())
        except (KeyboardInterrupt, asyncio.CancelledError):
            interrupted += 1
        # Its event loop is gone, whether it was connected or not.
        assert not me.connected
    async def after():
        await me.connect()
        assert await me.request("after", to="me") == "after"
        await me.disconnect()
    asyncio.run(after())
    went_on()
    """

RAISES = {
    **{
        f"threads raise in {what}": threads(THREADS_RAISE, f"WHAT = {what!r}") for what in ("request", "result", "wait")
    },
    "threads raise in answers": threads(THREADS_ANSWER),
    "threads raise in its life": threads(THREADS_LIFE),
    "asyncio raise": of_asyncio(ASYNCIO_RAISE),
    "asyncio raise in a crowd": of_asyncio(ASYNCIO_CROWD),
    "asyncio ctrl-c": of_asyncio(ASYNCIO_LOOPS),
}
