"""The child of the gem's README: has a 75 % chance of doing what it is asked, and a 25 % chance of being a baby."""

import random

from redisipc import Request, Stream

child = Stream("electric_household", "child")


@child.on_error
def report(error: Exception) -> None:
    print(error)


@child.on_request
def answer(request: Request) -> None:
    if random.random() > 0.25:
        child.fulfill_request(request, content="Yes, creators")
    else:
        child.reject_request(request, content="No! <Tantrum initiated>")


child.run()  # connects, and serves until SIGTERM or Ctrl-C
