"""A signal handler calls the endpoint that it may have interrupted."""

from __future__ import annotations

from .preambles import of_asyncio, threads

THREADS_CALL = """
    futures = []
    def handler(number, frame):
        global interrupted
        interrupted += 1
        if WHAT == "request":
            assert me.request(interrupted, to="me") == interrupted
        else:
            futures.append(me.submit(interrupted, to="me"))
            if WHAT == "cancel":
                assert futures[-1].cancel() or futures[-1].result() == interrupted
        soon()
    signal.signal(signal.SIGALRM, handler)
    soon()
    while interrupted < count:
        calls += 1
        assert me.request(calls, to="me") == calls
    over()
    if WHAT == "submit":
        assert [future.result() for future in futures] == list(range(1, len(futures) + 1))
    me.disconnect()
    assert me.outstanding == 0
    went_on()
    """
THREADS_DISCONNECT = """
    def handler(number, frame):
        global interrupted
        interrupted += 1
        web.disconnect(*LIMIT)
    signal.signal(signal.SIGALRM, handler)
    while interrupted < max(3, count // 10):
        web = Stream(name, "web", url=url, timeout=5, close_timeout=1).connect()
        soon()
        try:
            while True:
                calls += 1
                web.request(1, to="me")
        except (NotConnected, ClosedError, RequestCancelled):
            pass
        assert not web.connected
    me.disconnect()
    went_on()
    """
ASYNCIO_CALL = """
    futures = []
    def handler(number, frame):
        global interrupted
        interrupted += 1
        futures.append(me.submit(interrupted, to="me"))
        if WHAT == "cancel":
            futures[-1].cancel()
        soon()
    signal.signal(signal.SIGALRM, handler)
    async def main():
        global calls
        soon()
        while interrupted < count:
            calls += 1
            assert await me.request(calls, to="me") == calls
            if calls % 5 == 0:
                # Timers and futures of the program's own: the handler may come while the event loop sorts them.
                await asyncio.sleep(0.0001)
        over()
        if WHAT == "submit":
            assert await asyncio.gather(*futures) == list(range(1, len(futures) + 1))
        await me.disconnect()
        assert me.outstanding == 0
        went_on()
    loop.run_until_complete(main())
    loop.close()
    """
ASYNCIO_DISCONNECT = """
    def handler(number, frame):
        global interrupted
        interrupted += 1
        leaving.append(loop.create_task(web.disconnect(0)))
    signal.signal(signal.SIGALRM, handler)
    async def main():
        global web, leaving, calls
        while interrupted < max(3, count // 10):
            web, leaving = await Stream(name, "web", url=url, timeout=5).connect(), []
            soon()
            try:
                while True:
                    calls += 1
                    await web.request(1, to="me")
            except (NotConnected, ClosedError, RequestCancelled):
                pass
            await leaving[0]
            assert not web.connected
        await me.disconnect()
        went_on()
    loop.run_until_complete(main())
    loop.close()
    """
ASYNCIO_OTHER_THREAD = """
    # Its event loop is elsewhere: what cannot work is refused at once, with what to do instead.
    def handler(number, frame):
        global interrupted
        interrupted += 1
        try:
            me.submit(1, to="me")
        except WrongLoopError as error:
            assert "run_coroutine_threadsafe" in str(error)
            refused.append(1)
        soon()
    refused = []
    signal.signal(signal.SIGALRM, handler)
    import threading
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    soon()
    while interrupted < count:
        calls += 1
        assert asyncio.run_coroutine_threadsafe(me.request(calls, to="me"), loop).result(10) == calls
    over()
    assert len(refused) == interrupted
    asyncio.run_coroutine_threadsafe(me.disconnect(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    went_on()
    """

CALLS = {
    **{f"threads call {what}": threads(THREADS_CALL, f"WHAT = {what!r}") for what in ("submit", "request", "cancel")},
    "threads call disconnect": threads(THREADS_DISCONNECT, "LIMIT = ()"),
    "threads call disconnect 0": threads(THREADS_DISCONNECT, "LIMIT = (0,)"),
    **{f"asyncio call {what}": of_asyncio(ASYNCIO_CALL, f"WHAT = {what!r}") for what in ("submit", "cancel")},
    "asyncio call disconnect 0": of_asyncio(ASYNCIO_DISCONNECT),
    "asyncio call from another thread": of_asyncio(ASYNCIO_OTHER_THREAD),
}
