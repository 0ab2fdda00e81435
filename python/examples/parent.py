"""The parent of the gem's README: asks the child for something, and asks again where it refuses."""

import sys

from redisipc import Request, Stream

parent = Stream("electric_household", "parent")


@parent.on_error
def report(error: Exception) -> None:
    print(error)


@parent.on_request
def refuse(request: Request) -> None:
    parent.reject_request(request, content="No, and because I said so")


with parent:  # connected inside the block
    response = parent.send_to_group(content="Please do this task for me, child", to="child")
    if response.fulfilled:
        print(f"Child said: {response.value}")
        sys.exit(0)

    response = parent.send_to_group(content="Child, I will not ask again", to="child")
    if response.rejected:
        print(f"The child's reasoning is: {response.reason}")
        sys.exit(1)
